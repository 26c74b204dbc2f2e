// A small help desk on a Gatepost relay, of Node's standard library alone.
//
// It takes mail as JSON, acknowledges new tickets, sends what agents answer, shows them first what
// speaks against writing, and follows what becomes of each answer.
//
//     GATEPOST_API=http://127.0.0.1:8025/api/v1 GATEPOST_TOKEN=... \
//     GATEPOST_ACCOUNT=acme.desk.example GATEPOST_SECRET=whsec_... \
//     node help_desk.ts 8080
//
// Node 22.18 and later run it as it stands; for earlier ones `tsc` makes JavaScript of it. An agent
// answers on standard input: `TICKET TEXT`, such as `1 It is on its way.`

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";

/** What this desk reads of a message that comes in; it has more. */
interface Message {
  transaction: string;
  thread: string | null;
  class: string | null;
  from: { address: string }[];
  reply: string;
  envelope: { "rcpt-to": { "support-address": string }[] };
}

interface Sent {
  id: string;
  recipients: { address: string; outcome: string; why?: string }[];
}

interface Page {
  next: string;
  items: { kind: string; metadata?: string; recipient?: string }[];
}

/** A refusal, with the words for whoever asked (RFC 9457). */
interface Problem {
  detail: string;
}

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`set ${name}`);
  return value;
}

const API = setting("GATEPOST_API");
const TOKEN = setting("GATEPOST_TOKEN");
const ACCOUNT = setting("GATEPOST_ACCOUNT");
const KEY = Buffer.from(setting("GATEPOST_SECRET").replace(/^whsec_/, ""), "base64");

/** Asks the relay; returns the answer, or the problem. */
async function api<Answer>(
  method: string,
  path: string,
  body?: object,
  key?: string,
): Promise<{ ok: true; answer: Answer } | { ok: false; problem: Problem }> {
  const headers: Record<string, string> = { Authorization: `Bearer ${TOKEN}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key !== undefined) headers["Idempotency-Key"] = key;
  const request = { method, headers, body: body && JSON.stringify(body) };
  const answer = await fetch(API + path, request);
  const json = await answer.json();
  return answer.ok ? { ok: true, answer: json as Answer } : { ok: false, problem: json as Problem };
}

/** Tickets. A real help desk keeps them, and what it has seen, in a database. */
class Desk {
  private readonly seen = new Set<string>();
  private readonly tickets: Message[] = [];
  /** Number of the ticket by the transaction of our answer. */
  private readonly ticketOf = new Map<string, number>();

  /** Files a message into the ticket that it answers, or opens a new one. */
  async take(key: string, message: Message): Promise<void> {
    if (this.seen.has(key)) return;
    this.seen.add(key);
    const known = message.thread === null ? undefined : this.ticketOf.get(message.thread);
    const number = known ?? this.tickets.length + 1;
    this.tickets[number - 1] = message;
    console.log(`ticket ${number} from ${message.from[0]?.address}: ${message.reply.trim()}`);
    const isByPerson = message.class === null || message.class === "human";
    if (known === undefined && isByPerson) {
      await this.send(number, "We have got your message.", "automatic", `ack-${key}`);
    }
  }

  /** Shows the agent what is known of the recipient, and sends the answer. */
  async answer(number: number, text: string): Promise<void> {
    const author = this.tickets[number - 1]?.from[0]?.address ?? "";
    const path = `/accounts/${ACCOUNT}/recipients/${encodeURIComponent(author)}`;
    const known = await api<{ sentence: string }>("GET", path);
    console.log(`before you write: ${known.ok ? known.answer.sentence : known.problem.detail}`);
    await this.send(number, text, "agent");
  }

  private async send(number: number, text: string, trigger: string, key?: string): Promise<void> {
    const message = this.tickets[number - 1];
    if (message === undefined) {
      console.log(`there is no ticket ${number}`);
      return;
    }
    const from = message.envelope["rcpt-to"][0]?.["support-address"];
    const request = {
      message: { from, text, trigger, metadata: String(number) },
      answers: message.transaction,
    };
    const sent = await api<Sent>("POST", `/accounts/${ACCOUNT}/messages`, request, key);
    if (!sent.ok) {
      console.log(`ticket ${number} is not answered: ${sent.problem.detail}`);
      return;
    }
    this.ticketOf.set(sent.answer.id, number);
    for (const { address, outcome, why } of sent.answer.recipients) {
      console.log(`ticket ${number} is ${outcome} for ${address}${why ? `: ${why}` : ""}`);
    }
  }

  /** Shows what becomes of answers, for ever. A real help desk keeps the cursor. */
  async follow(): Promise<void> {
    let query = "wait=true";
    for (;;) {
      const page = await api<Page>("GET", `/events?${query}`);
      if (!page.ok) {
        console.log(`events: ${page.problem.detail}`);
        return;
      }
      query = `wait=true&cursor=${page.answer.next}`;
      for (const { kind, metadata, recipient } of page.answer.items) {
        if (kind !== "queued" && metadata) console.log(`ticket ${metadata}: ${kind} ${recipient}`);
      }
    }
  }
}

/** Tells whether the relay has signed a request (Standard Webhooks). */
function isSigned(request: IncomingMessage, body: Buffer): boolean {
  const field = (name: string) => String(request.headers[name] ?? "");
  const hmac = createHmac("sha256", KEY);
  hmac.update(`${field("webhook-id")}.${field("webhook-timestamp")}.`).update(body);
  const due = Buffer.from(`v1,${hmac.digest("base64")}`);
  const given = field("webhook-signature").split(" ").map((one) => Buffer.from(one));
  return given.some((one) => one.length === due.length && timingSafeEqual(one, due));
}

const desk = new Desk();

/** Takes what the relay hands over, once its signature is right. */
const server = createServer(async (request, response) => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const body = Buffer.concat(parts);
  if (!isSigned(request, body)) {
    response.writeHead(401).end();
    return;
  }
  await desk.take(String(request.headers["webhook-id"]), JSON.parse(body.toString()) as Message);
  response.writeHead(200).end();
});

const port = Number(process.argv[2]);
server.listen(port, "127.0.0.1", () => {
  console.log(`listening on ${port}`);
  void desk.follow();
});
createInterface({ input: process.stdin }).on("line", (line) => {
  const [ticket, ...words] = line.split(" ");
  void desk.answer(Number(ticket), words.join(" "));
});
