"""Flask under gunicorn, with the limit that Flask itself has."""

import os

from flask import Flask, request

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = int(os.environ["LIMIT"])


@app.post("/items")
def take():
    """Read a JSON body, and keep nothing of it; Flask answers 400 and 415 by itself."""
    request.get_json()
    return "taken", 201


@app.get("/here")
def here():
    """A normal request."""
    return "here"
