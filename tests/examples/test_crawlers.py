"""The crawlers, at a web server of Python's own that has good pages and every kind of bad one."""
import http.server
import pathlib
import socket
import tempfile
import threading

import examples


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        what, _, size = self.path[1:].partition("/")
        if what == "page":
            self.answer(200, b"x" * int(size))
        elif what == "moved":
            self.answer(302, location="/page/300")
        elif what == "circle":
            self.answer(302, location=self.path)
        elif what == "cut":
            self.answer(200, b"x" * 10, claimed=1000)
        elif what == "silent":
            self.server.over.wait(examples.SECONDS)
        else:
            self.answer(404, b"nothing here")

    def answer(self, status, body=b"", claimed=None, location=None):
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body) if claimed is None else claimed))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


class Web(http.server.ThreadingHTTPServer):
    request_queue_size = 100  # a full one drops connections, and they are tried again a second later


class Crawlers(examples.TestCase):
    def setUp(self):
        self.web = Web(("127.0.0.1", 0), Pages)
        self.web.over = threading.Event()
        self.serving = threading.Thread(target=self.web.serve_forever)
        self.serving.start()
        self.nobody = socket.socket()  # bound, so that nobody else takes it, and not listening
        self.nobody.bind(("127.0.0.1", 0))
        self.folder = tempfile.TemporaryDirectory()

    def tearDown(self):
        self.web.over.set()
        self.web.shutdown()
        self.serving.join()
        self.web.server_close()
        self.nobody.close()
        self.folder.cleanup()

    def crawl(self, program, words):
        here = "http://127.0.0.1:%d/" % self.web.server_address[1]
        good = {f"{here}page/{size}": size for size in (0, 1, 1000, 300_000)} | {f"{here}moved": 300}
        bad = {f"{here}{page}": word for page, word in words.items() if page != "nobody"}
        bad["http://127.0.0.1:%d/" % self.nobody.getsockname()[1]] = words["nobody"]
        notes = pathlib.Path(self.folder.name) / "notes"
        notes.write_text("what was there before\n")
        output = examples.run(program, notes, *bad, *good).stdout
        first, *lines = notes.read_text().splitlines()
        self.assertEqual(first, "what was there before")
        self.assertCountEqual(lines, [f"url:<{url}> size:[{size}]" for url, size in good.items()])
        self.assertEqual(len(output.splitlines()), len(bad), output)
        for url, word in bad.items():
            self.assertRegex(output, rf"(?m)^failed:<{url}> .*{word}")

    def test_on_fibers(self):
        self.crawl("fiber_crawler", {"nobody": "Connection refused", "silent": "three seconds for a page",
                                     "circle": "redirected too often", "cut": "not complete", "missing": "404"})

    def test_in_processes_with_libcurl(self):
        self.crawl("crawler", {"nobody": "Couldn't connect", "silent": "Timeout was reached", "circle": "redirects",
                               "cut": "partial file", "missing": "HTTP response code said error"})


if __name__ == "__main__":
    examples.main()
