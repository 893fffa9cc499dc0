// The official `openai` package for JavaScript against any OpenAI-compatible address.
//
// Prints `ok NAME` for each capability, and throws at the first that is not there.

import assert from "node:assert/strict";
import OpenAI from "openai";

const model = process.env.OPENAI_MODEL ?? "auto";
const embeddingModel = process.env.OPENAI_EMBEDDING_MODEL ?? "embedding";
// A picture of one red pixel.
const pixel =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/" +
  "iZk9HQAAAABJRU5ErkJggg==";
const weather = {
  type: "function",
  function: {
    name: "weather",
    description: "The weather in a city.",
    parameters: {
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
      additionalProperties: false,
    },
  },
};
const ticket = {
  type: "json_schema",
  json_schema: {
    name: "ticket",
    strict: true,
    schema: {
      type: "object",
      properties: { title: { type: "string" }, urgent: { type: "boolean" }, hours: { type: "integer" } },
      required: ["title", "urgent", "hours"],
      additionalProperties: false,
    },
  },
};

const user = (content) => ({ role: "user", content });
const ask = (client, messages, more = {}) => client.chat.completions.create({ model, messages, ...more });

// Counts what is sent; the first `failing` sends are lost on the way.
function counting(failing) {
  const counted = { sent: 0 };
  counted.fetch = (url, options) => {
    counted.sent += 1;
    return counted.sent <= failing ? Promise.reject(new TypeError("lost on the way")) : fetch(url, options);
  };
  return counted;
}

async function refused(promise, classes, statuses) {
  const error = await promise.then(() => assert.fail("it was served"), (error) => error);
  assert.ok(classes.some((one) => error instanceof one), error);
  assert.ok(statuses.includes(error.status), error);
  assert.ok(error.message && (error.code || error.type), error);
}

const capabilities = {
  async chat(client) {
    const reply = await ask(client, [user("Say hello.")]);
    assert.equal(reply.object, "chat.completion");
    assert.equal(reply.choices[0].finish_reason, "stop");
    assert.ok(reply.choices[0].message.content);
    assert.equal(reply.usage.total_tokens, reply.usage.prompt_tokens + reply.usage.completion_tokens);
  },

  async limits(client) {
    const reply = await ask(client, [user("Tell a long story.")], { max_completion_tokens: 1 });
    assert.equal(reply.choices[0].finish_reason, "length");
  },

  async streaming(client) {
    const more = { stream: true, stream_options: { include_usage: true } };
    let text = "";
    const reasons = [];
    const usages = [];
    for await (const chunk of await ask(client, [user("Say hello.")], more)) {
      for (const choice of chunk.choices) {
        text += choice.delta.content ?? "";
        if (choice.finish_reason) reasons.push(choice.finish_reason);
      }
      if (chunk.usage) usages.push(chunk.usage);
    }
    assert.ok(text);
    assert.deepEqual(reasons, ["stop"]);
    assert.equal(usages.length, 1);
  },

  async tools(client) {
    const messages = [user("What is the weather in Oslo?")];
    let reply = await ask(client, messages, { tools: [weather] });
    assert.equal(reply.choices[0].finish_reason, "tool_calls");
    const said = reply.choices[0].message;
    assert.equal(said.tool_calls[0].function.name, "weather");
    messages.push(said);
    for (const call of said.tool_calls) {
      messages.push({ role: "tool", tool_call_id: call.id, content: "4 degrees, rain" });
    }
    reply = await ask(client, messages, { tools: [weather] });
    assert.equal(reply.choices[0].finish_reason, "stop");
    assert.ok(reply.choices[0].message.content);
  },

  // The package's own loop: streams, gathers the calls, runs them, asks again.
  async tool_loop(client) {
    let called = 0;
    const runs = (args) => {
      called += 1;
      assert.equal(typeof args.city, "string");
      return "4 degrees, rain";
    };
    const runner = client.chat.completions.runTools({
      model,
      stream: true,
      messages: [user("What is the weather in Oslo?")],
      tools: [{ type: "function", function: { ...weather.function, parse: JSON.parse, function: runs } }],
    });
    assert.ok(await runner.finalContent());
    assert.equal(called, 1);
  },

  async structured_output(client) {
    const messages = [user("File a ticket: the login is slow.")];
    const reply = await client.chat.completions.parse({ model, messages, response_format: ticket });
    const parsed = JSON.parse(reply.choices[0].message.content);
    assert.deepEqual(Object.keys(parsed).sort(), ["hours", "title", "urgent"]);
    assert.ok(Number.isInteger(parsed.hours));
  },

  async images(client) {
    const picture = { type: "image_url", image_url: { url: pixel, detail: "low" } };
    const reply = await ask(client, [user([{ type: "text", text: "Which colour is this?" }, picture])]);
    assert.ok(reply.choices[0].message.content);
  },

  async embeddings(client) {
    // The package asks for base64 unless told otherwise.
    for (const more of [{}, { encoding_format: "float" }]) {
      const reply = await client.embeddings.create({ model: embeddingModel, input: ["one", "two"], ...more });
      const [first, second] = reply.data.map((one) => one.embedding);
      assert.ok(first.length > 0 && first.length === second.length);
      assert.ok(first.every((number) => typeof number === "number"));
    }
  },

  async models(client) {
    const names = [];
    for await (const one of client.models.list()) names.push(one.id);
    assert.ok(names.length > 0);
  },

  async errors(client) {
    const { NotFoundError, BadRequestError, AuthenticationError } = OpenAI;
    const counted = counting(0);
    const careful = client.withOptions({ fetch: counted.fetch, maxRetries: 3 });
    const unknown = { model: "there-is-no-such-model" };
    await refused(ask(careful, [user("Hi.")], unknown), [NotFoundError, BadRequestError], [400, 404]);
    assert.equal(counted.sent, 1, "an error of the caller's was tried again");
    const stranger = client.withOptions({ apiKey: "no-such-key" });
    await refused(stranger.models.list(), [AuthenticationError], [401]);
    await refused(ask(client, [], { temperature: 99 }), [BadRequestError], [400]);
  },

  async retries(client) {
    const counted = counting(1);
    const patient = client.withOptions({ fetch: counted.fetch, maxRetries: 2 });
    const reply = await ask(patient, [user("Say hello.")]);
    assert.ok(reply.choices[0].message.content);
    assert.equal(counted.sent, 2);
  },
};

// The address and the key come from OPENAI_BASE_URL and OPENAI_API_KEY.
const client = new OpenAI({ maxRetries: 0, timeout: 60_000 });
for (const [name, capability] of Object.entries(capabilities)) {
  await capability(client);
  console.log("ok", name);
}
