"""Send requests of one key from many clients: ``python -m benchmarks.greedy HOST:PORT KEY SLOW PATH...``.

There is a client for each path. It has a connection for each request, reads the answer and sends the request again at
once; with SLOW 1 it reads a kilobyte per second. ``{n}`` in a path is replaced by a number of three digits.
The process runs until standard input is closed; then it prints the number of answers of each status as a line of JSON.
"""

import asyncio
import itertools
import json
import sys
from collections import Counter

_NUMBERS = itertools.count()
_PIECE, _SLOW_PIECE = 1 << 20, 1 << 10


async def _ask(address: str, key: str, is_slow: bool, path: str, seen: Counter[str]) -> None:
    host, _, port = address.rpartition(":")
    while True:
        status = ["broken"]
        target = path.replace("{n}", f"{next(_NUMBERS) % 1_000:03}")
        try:
            reader, writer = await asyncio.open_connection(host, int(port))
            lines = f"GET {target} HTTP/1.1", f"Host: {address}", f"Authorization: Bearer {key}", "Connection: close"
            writer.write("\r\n".join([*lines, "", ""]).encode())
            status = (await reader.readline()).decode().split()[1:2] or status
            while await reader.read(_SLOW_PIECE if is_slow else _PIECE):
                await asyncio.sleep(1.0 if is_slow else 0.0)
            writer.close()
        except OSError:
            status = ["broken"]
        seen[status[0]] += 1
        # As a client that honours Retry-After would, but sooner.
        await asyncio.sleep(0.0 if status[0] == "200" else 0.2)


async def _main(address: str, key: str, is_slow: bool, paths: list[str]) -> Counter[str]:
    seen = Counter[str]()
    clients = [asyncio.create_task(_ask(address, key, is_slow, path, seen)) for path in paths]
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for client in clients:
        client.cancel()
    return seen


if __name__ == "__main__":
    _, address, key, slow, *paths = sys.argv
    print(json.dumps(asyncio.run(_main(address, key, slow == "1", paths))))
