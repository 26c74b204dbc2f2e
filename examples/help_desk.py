#!/usr/bin/env python3
"""A small help desk on a Gatepost relay, of the standard library alone.

It takes mail as JSON, acknowledges new tickets, sends what agents answer, shows
them first what speaks against writing, and follows what becomes of each answer.

    GATEPOST_API=http://127.0.0.1:8025/api/v1 GATEPOST_TOKEN=... \\
    GATEPOST_ACCOUNT=acme.desk.example GATEPOST_SECRET=whsec_... \\
    python3 help_desk.py 8080

An agent answers on standard input: `TICKET TEXT`, such as `1 It is on its way.`
"""

import base64
import hmac
import json
import os
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

API = os.environ["GATEPOST_API"]
TOKEN = os.environ["GATEPOST_TOKEN"]
ACCOUNT = os.environ["GATEPOST_ACCOUNT"]
SECRET = os.environ["GATEPOST_SECRET"]


def api(method, path, body=None, key=None):
    """Asks the relay. A refusal is a problem in JSON, with the words for whoever asked."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if key is not None:
        headers["Idempotency-Key"] = key
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(API + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


class Desk:
    """Tickets. A real help desk keeps them, and what it has seen, in a database."""

    def __init__(self):
        self.lock = threading.Lock()
        self.seen = set()
        self.tickets = []
        self.ticket_of = {}  # transaction of our answer -> ticket

    def take(self, key, message):
        """Files a message into the ticket that it answers, or opens a new one."""
        with self.lock:
            if key in self.seen:
                return
            self.seen.add(key)
            number = self.ticket_of.get(message["thread"])
            is_new = number is None
            if is_new:
                self.tickets.append(None)
                number = len(self.tickets)
            self.tickets[number - 1] = message
        author = message["from"][0]["address"]
        say(f"ticket {number} from {author}: {message['reply'].strip()}")
        if is_new and message["class"] in (None, "human"):
            self.send(number, "We have got your message.", "automatic", f"ack-{key}")

    def answer(self, number, text):
        """Shows the agent what is known of the recipient, and sends the answer."""
        author = self.tickets[number - 1]["from"][0]["address"]
        path = f"/accounts/{ACCOUNT}/recipients/{urllib.parse.quote(author)}"
        say(f"before you write: {api('GET', path)[1]['sentence']}")
        self.send(number, text, "agent", None)

    def send(self, number, text, trigger, key):
        message = self.tickets[number - 1]
        address = message["envelope"]["rcpt-to"][0]["support-address"]
        request = {
            "message": {
                "from": address,
                "text": text,
                "trigger": trigger,
                "metadata": str(number),
            },
            "answers": message["transaction"],
        }
        status, answer = api("POST", f"/accounts/{ACCOUNT}/messages", request, key)
        if status != 202:
            say(f"ticket {number} is not answered: {answer['detail']}")
            return
        with self.lock:
            self.ticket_of[answer["id"]] = number
        for recipient in answer["recipients"]:
            why = f": {recipient['why']}" if "why" in recipient else ""
            say(f"ticket {number} is {recipient['outcome']} for {recipient['address']}{why}")

    def follow(self):
        """Shows what becomes of answers, for ever. A real help desk keeps the cursor."""
        cursor = None
        while True:
            query = "wait=true" + (f"&cursor={cursor}" if cursor else "")
            status, page = api("GET", f"/events?{query}")
            if status != 200:
                say(f"events: {page['detail']}")
                return
            cursor = page["next"]
            for event in page["items"]:
                if event["kind"] != "queued" and event.get("metadata"):
                    say(f"ticket {event['metadata']}: {event['kind']} {event['recipient']}")


class Inbound(BaseHTTPRequestHandler):
    """Takes what the relay hands over, once its signature is right."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.is_signed(body):
            return self.reply(401)
        desk.take(self.headers["webhook-id"], json.loads(body))
        self.reply(200)

    def is_signed(self, body):
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        stamp = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}."
        due = "v1," + base64.b64encode(hmac.digest(key, stamp.encode() + body, "sha256")).decode()
        given = self.headers["webhook-signature"].split()
        return any(hmac.compare_digest(one, due) for one in given)

    def reply(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def say(text):
    # Text and line end in one write: two threads speak.
    print(f"{text}\n", end="", flush=True)


desk = Desk()
server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Inbound)
threading.Thread(target=server.serve_forever, daemon=True).start()
threading.Thread(target=desk.follow, daemon=True).start()
say(f"listening on {server.server_port}")
for line in sys.stdin:
    ticket, _, words = line.strip().partition(" ")
    desk.answer(int(ticket), words)
