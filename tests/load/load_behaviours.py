"""What users do, in locustfiles with opsproof and in those without."""

import time

import gevent
from gevent.pool import Pool
from locust import FastHttpUser, tag, task
from locust.exception import StopUser


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

    @tag("read")
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


class SlowToLogIn(Reads):
    """The log-in takes longer than any request may."""

    abstract = True

    def on_start(self):
        gevent.sleep(2.5)


class Leaves(Reads):
    """A user asks once and goes."""

    abstract = True

    @task
    def read(self):
        self.client.get("/item", name="/item")
        raise StopUser


class Skips(FastHttpUser):
    """Seldom is there anything that the task would ask."""

    abstract = True

    count = 0

    @task
    def read(self):
        type(self).count += 1
        if type(self).count % 20 == 0:
            self.client.get("/item", name="/item")


class Floods(FastHttpUser):
    """A task sends many requests at once, in greenlets of their own."""

    abstract = True

    @task
    def read(self):
        pool = Pool(10)
        for _ in range(30):
            pool.spawn(self.client.get, "/item", name="/item")
        pool.join()


class Posts(FastHttpUser):
    """Something changes, and no tag says so."""

    abstract = True

    @task
    def change(self):
        self.client.post("/item", name="/item", json={})


class PostsAside(FastHttpUser):
    """As Posts, in a greenlet of its own."""

    abstract = True

    @task
    def change(self):
        gevent.spawn(self.client.post, "/item", name="/item", json={}).join()


class Ponders(FastHttpUser):
    """Slow users, beside quick ones."""

    abstract = True

    @task
    def ponder(self):
        gevent.sleep(1.0)
        self.client.get("/pondered", name="/pondered")
