"""What the package says when its server is not what it needs."""

import http.server
import json
import threading
import unittest

from forebay.errors import ForebayError, ServerUnreachable
from forebay.transport import Transport


class OldServer(http.server.BaseHTTPRequestHandler):
    """Knows no method, and no field of GetVersion."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        status, reason, text = 404, "UNKNOWN_METHOD", f"there is nothing at {self.path}"
        if self.path.endswith("GetVersion"):
            status, reason, text = 400, "INVALID_MESSAGE", "the body is not a GetVersionRequest: x: Cannot find field."
        elif self.path.endswith("Garbled"):
            status, reason, text = 400, "INVALID_MESSAGE", "the body is not a GarbledRequest: Expected a value."
        detail = {"type": "google.rpc.ErrorInfo", "debug": {"reason": reason, "metadata": {}}}
        body = json.dumps({"code": "unimplemented", "message": text, "details": [detail]}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Refusals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OldServer)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()

    def refused(self, method):
        with self.assertRaises(ForebayError) as caught:
            Transport([f"http://127.0.0.1:{self.server.server_port}"], "").call(method, {}, repeat=True)
        return caught.exception

    def test_a_server_that_is_older(self):
        for method in ("NewService.New", "ServerService.GetVersion"):
            error = self.refused(method)
            self.assertEqual((error.reason, error.code), ("SERVER_TOO_OLD", "unimplemented"))
            self.assertIn(f"does not know what {method} asks for", str(error))

    def test_a_wrong_message_is_not_the_servers_age(self):
        self.assertEqual(self.refused("ServerService.Garbled").reason, "INVALID_MESSAGE")

    def test_nobody_there(self):
        with self.assertRaisesRegex(ServerUnreachable, "no server answers at http://127.0.0.1:1"):
            Transport(["http://127.0.0.1:1"], "", patience=0).call("X.Y", {}, repeat=True)


if __name__ == "__main__":
    unittest.main()
