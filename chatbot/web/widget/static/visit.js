// What the frame asks of the server: a visit for a ticket, answers as they are written, ratings.

export class Refusal extends Error {
  constructor(status, error) {
    super(error?.message ?? "");
    this.status = status;
    this.kind = error?.kind ?? "";
    this.seconds = error?.retry_after_seconds ?? null;
  }
}

// `fetchTicket` asks the page that shows the frame for a ticket; it is called again when a visit is over.
// `keep` hands it the conversation's name, because many browsers let no frame of another origin keep anything.
export function createVisit(fetchTicket, keep) {
  let token = "";
  let conversation = "";

  async function open(ticket, earlier = conversation) {
    conversation = earlier;
    const response = await send("visit", { ticket, conversation });
    const visit = await response.json();
    token = visit.token;
    remember(visit.conversation);
    return visit;
  }

  async function ask(question, page, hear, signal) {
    const response = await sendAgain("ask", { question, page }, signal);
    for await (const event of readEvents(response.body)) hear(event);
  }

  function rate(turn, rating) {
    return sendAgain("rating", { turn, rating });
  }

  function stop() {
    return sendAgain("stop", null);
  }

  async function startOver() {
    const response = await sendAgain("new", null);
    remember((await response.json()).conversation);
  }

  // A visit lasts some minutes; when it is over, a new ticket opens the next one for the same conversation.
  async function sendAgain(path, body, signal) {
    try {
      return await send(path, body, signal);
    } catch (error) {
      if (error.status !== 401) throw error;
      await open(await fetchTicket());
      return send(path, body, signal);
    }
  }

  async function send(path, body, signal) {
    const headers = { Accept: "text/event-stream, application/json" };
    if (token) headers.Authorization = `Bearer ${token}`;
    if (body) headers["Content-Type"] = "application/json";
    const response = await fetch(path, {
      method: "POST", headers, signal, body: body && JSON.stringify(body), credentials: "omit", cache: "no-store",
    });
    if (response.ok) return response;
    throw new Refusal(response.status, (await response.json().catch(() => ({}))).error);
  }

  function remember(name) {
    conversation = name;
    keep(name);
  }

  return { open, ask, stop, rate, startOver };
}

async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const parts = text.split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const data = part.split("\n").find((line) => line.startsWith("data: "));
      if (data) yield JSON.parse(data.slice(6));
    }
  }
}
