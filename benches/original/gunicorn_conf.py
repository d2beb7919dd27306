"""How gunicorn runs the original: what was fastest for it on two cores.

The environment may try another shape: WEB_CONCURRENCY and ORIGINAL_THREADS.
Sync workers keep no connection open between two requests, so threads it is.
"""

import os

worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", os.cpu_count() or 2))
# SQLite has one writer, and Django's others wait for it asleep: more threads
# only make them wait longer.
ON_SQLITE = os.environ["ORIGINAL_DATABASE"].startswith("sqlite:")
threads = int(os.environ.get("ORIGINAL_THREADS", 4 if ON_SQLITE else 16))
preload_app = True
http_parser = "fast"
# It would be a file in the home folder.
control_socket_disable = True
# Longer than any client of the bench waits between two requests.
keepalive = 75
# So that the bench ends soon, whatever its clients do.
graceful_timeout = 2
