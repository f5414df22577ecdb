"""What users do, in locustfiles with opsproof and in those without."""

import time

import gevent
from locust import FastHttpUser, task


class Reads(FastHttpUser):
    """One request."""

    abstract = True

    @task
    def read(self):
        self.client.get("/item", name="/item")


class Raises(FastHttpUser):
    """Something is wrong before there is a request."""

    abstract = True

    @task
    def read(self):
        raise KeyError("id")


class NeverReady(Reads):
    """Whoever logs in waits for good."""

    abstract = True

    def on_start(self):
        gevent.sleep(3600)


class FailsToLogIn(Reads):
    """Half of the users get no further than their login."""

    abstract = True

    count = 0

    def on_start(self):
        type(self).count += 1
        if type(self).count % 2:
            raise PermissionError("no such user")


class Computes(FastHttpUser):
    """The task burns the processor."""

    abstract = True

    @task
    def read(self):
        until = time.perf_counter() + 0.015
        while time.perf_counter() < until:
            pass
        self.client.get("/item", name="/item")


class LooksAtTheBody(FastHttpUser):
    """An answer with status 200 may still be wrong."""

    abstract = True

    @task
    def read(self):
        with self.client.get("/item", name="/item", catch_response=True) as answer:
            if answer.json()["ok"] is not True:
                answer.failure("not ok")


class Nested(FastHttpUser):
    """A request within another one's block, and one after both."""

    abstract = True

    @task
    def read(self):
        with self.client.get("/outer", name="/outer", catch_response=True) as answer:
            self.client.post("/inner", name="/inner", json={"a": 1})
            answer.success()
        self.client.get("/last", name="/last")


class Forgets(FastHttpUser):
    """A request whose end nobody is told."""

    abstract = True

    @task
    def read(self):
        self.client.get("/item", name="/item", catch_response=True)


class Endless(FastHttpUser):
    """A task that never ends."""

    abstract = True

    @task
    def read(self):
        while True:
            self.client.get("/item", name="/item")
