"""A locustfile with opsproof; the classes to run are named on the command line."""

import os

import load_behaviours as behaviours
from locust import FastHttpUser, HttpUser, SequentialTaskSet, TaskSet, constant, events, tag, task

from opsproof.load import attach, one_of

attach()


@events.quitting.add_listener
def own_gate(environment, **_):
    """As Locust's documentation has it: it says 0 where its own numbers are good."""
    environment.process_exit_code = 0


class Reads(behaviours.Reads):
    wait_time = constant(60)


class ReadsByRequests(HttpUser):
    @task
    def read(self):
        self.client.get("/by-requests")


class Raises(behaviours.Raises):
    pass


class NeverReady(behaviours.NeverReady):
    pass


class FailsToLogIn(behaviours.FailsToLogIn):
    pass


class Computes(behaviours.Computes):
    pass


class LooksAtTheBody(behaviours.LooksAtTheBody):
    pass


class Nested(behaviours.Nested):
    pass


class Forgets(behaviours.Forgets):
    pass


class Endless(behaviours.Endless):
    pass


class SlowToLogIn(behaviours.SlowToLogIn):
    pass


class Leaves(behaviours.Leaves):
    pass


class Skips(behaviours.Skips):
    pass


class Floods(behaviours.Floods):
    pass


class Posts(behaviours.Posts):
    pass


class PostsAside(behaviours.PostsAside):
    pass


class EndlessWrites(FastHttpUser):
    @tag("write")
    @task
    def write(self):
        while True:
            self.client.post("/item", name="/item", json={})


class Ponders(behaviours.Ponders):
    pass


class FindsNothing(FastHttpUser):
    @task
    def read(self):
        self.client.get("/item", name="/item")
        one_of([], "there is no item")


class Browses(FastHttpUser):
    """A task set in a task set, left and entered again."""

    @task
    class Shop(TaskSet):
        @task
        class Item(SequentialTaskSet):
            @task
            def look(self):
                self.client.get("/look", name="/look")

            @task
            def leave(self):
                self.client.get("/leave", name="/leave")
                self.interrupt()


class LooksElsewhere(FastHttpUser):
    """The target knows who asks; nobody else is told."""

    @task
    def ask(self):
        for url, known in ((self.host, True), ("", True), (os.environ.get("ELSEWHERE", ""), False)):
            with self.client.get(f"{url}/item", name="/item", catch_response=True) as answer:
                if answer.json()["known"] is not known:
                    answer.failure(f"credentials: {not known}")


class OwnProtocol(FastHttpUser):
    """What is no HTTP tells Locust of its requests by the event alone."""

    @task
    def call(self):
        with self.environment.events.request.measure("CALL", "own"):
            self.client.client.urlopen(f"{self.host}/item", method="GET").content  # noqa: B018


class OnlyWrites(FastHttpUser):
    @tag("write")
    @task
    def write(self):
        self.client.post("/item", name="/item", json={})
