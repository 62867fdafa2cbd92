#!/usr/bin/env python3
"""Stands in for the kubelet: answers its health check, and has a child that a restart must leave alone."""

import http.server
import subprocess


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.path == "/healthz"
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(b"ok" if known else b"404 page not found\n")

    def log_message(self, *_):
        pass


# With KillMode=process it outlives the service, as containers do.
subprocess.Popen(["sleep", "infinity"])
http.server.HTTPServer(("127.0.0.1", 10248), Health).serve_forever()
