"""Reports: run folder, summary, JUnit, Allure, records."""
