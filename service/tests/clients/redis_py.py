"""Fifty operations by redis-py, with its pipelines. Prints each result. Argument: the port."""

import sys

import redis


def main(protocol):
    client = redis.Redis(port=int(sys.argv[1]), protocol=protocol, decode_responses=True, client_name="tests")

    def say(operation):
        try:
            print(protocol, operation())
        except redis.exceptions.RedisError as error:
            print(protocol, type(error).__name__, error)

    say(lambda: client.delete("py:a", "py:b", "py:c"))
    say(client.ping)
    say(lambda: client.echo("hello"))
    say(lambda: client.client_getname())
    say(lambda: client.incr("py:a"))
    say(lambda: client.incr("py:a", 41))
    say(lambda: client.decr("py:a", 2))
    say(lambda: client.get("py:a"))
    say(lambda: client.get("py:none"))
    say(lambda: client.mget("py:a", "py:none"))
    say(lambda: client.exists("py:a", "py:none"))
    say(lambda: client.type("py:a"))
    say(lambda: client.type("py:none"))
    say(lambda: sorted(client.scan_iter(match="py:*")))
    say(lambda: client.wait(0, 10))
    say(lambda: client.incrby("py:a", 2**63 - 1))
    say(lambda: client.incrby("py:a", "x"))
    say(lambda: client.execute_command("FOO", "a"))
    say(lambda: client.execute_command("GET"))
    plain = client.pipeline(transaction=False)
    for number in range(5):
        plain.incr("py:b", number + 1)
    say(plain.execute)
    batch = client.pipeline()
    batch.incr("py:b").get("py:b").delete("py:b").get("py:b").incr("py:c", 7)
    say(batch.execute)
    spoilt = client.pipeline()
    spoilt.incr("py:c").incrby("py:c", "x")
    say(spoilt.execute)
    say(lambda: client.get("py:c"))
    say(lambda: client.getdel("py:c"))
    say(lambda: client.unlink("py:a", "py:none"))
    say(client.dbsize)


# 25 operations with each version of the protocol.
main(2)
main(3)
