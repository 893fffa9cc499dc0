"""The official `openai` package for Python against any OpenAI-compatible address.

Prints `ok NAME` for each capability, and raises at the first that is not there.
"""

import os

import openai
from pydantic import BaseModel

MODEL = os.environ.get("OPENAI_MODEL", "auto")
EMBEDDING_MODEL = os.environ.get("OPENAI_EMBEDDING_MODEL", "embedding")
# A picture of one red pixel.
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/"
    "iZk9HQAAAABJRU5ErkJggg=="
)
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


class Ticket(BaseModel):
    title: str
    urgent: bool
    hours: int


class Counting(openai.DefaultHttpxClient):
    """Counts what is sent; the first `failing` sends go to a port that nobody listens on."""

    failing = 0
    sent = 0

    def send(self, request, **options):
        self.sent += 1
        if self.sent <= self.failing:
            request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=9)
        return super().send(request, **options)


def user(content):
    return {"role": "user", "content": content}


def chat(client):
    reply = client.chat.completions.create(model=MODEL, messages=[user("Say hello.")])
    assert reply.object == "chat.completion" and reply.id, reply
    assert reply.choices[0].message.role == "assistant", reply
    assert reply.choices[0].message.content, reply
    assert reply.choices[0].finish_reason == "stop", reply
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def limits(client):
    reply = client.chat.completions.create(
        model=MODEL, messages=[user("Tell a long story.")], max_completion_tokens=1, temperature=0.5
    )
    assert reply.choices[0].finish_reason == "length", reply


def streaming(client):
    stream = client.chat.completions.create(
        model=MODEL,
        messages=[user("Say hello.")],
        stream=True,
        stream_options={"include_usage": True},
    )
    text, reasons, usages = "", [], []
    for chunk in stream:
        assert chunk.object == "chat.completion.chunk", chunk
        for choice in chunk.choices:
            text += choice.delta.content or ""
            if choice.finish_reason:
                reasons.append(choice.finish_reason)
        if chunk.usage:
            assert not chunk.choices, chunk
            usages.append(chunk.usage)
    assert text and reasons == ["stop"] and len(usages) == 1, (text, reasons, usages)
    assert usages[0].completion_tokens > 0, usages


def tools(client):
    messages = [user("What is the weather in Oslo?")]
    reply = client.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER])
    assert reply.choices[0].finish_reason == "tool_calls", reply
    said = reply.choices[0].message
    assert said.tool_calls[0].function.name == "weather", reply
    messages.append(said)
    for call in said.tool_calls:
        messages.append({"role": "tool", "tool_call_id": call.id, "content": "4 degrees, rain"})
    reply = client.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER])
    assert reply.choices[0].finish_reason == "stop", reply
    assert reply.choices[0].message.content, reply


def streamed_tools(client):
    messages = [user("What is the weather in Oslo?")]
    # The package's own putting together: it refuses chunks out of place.
    with client.chat.completions.stream(model=MODEL, messages=messages, tools=[WEATHER]) as stream:
        for _ in stream:
            pass
        final = stream.get_final_completion()
    assert final.choices[0].finish_reason == "tool_calls", final
    call = final.choices[0].message.tool_calls[0]
    assert call.id and call.function.name == "weather", final


def structured_output(client):
    reply = client.chat.completions.parse(
        model=MODEL, messages=[user("File a ticket: the login is slow.")], response_format=Ticket
    )
    assert isinstance(reply.choices[0].message.parsed, Ticket), reply


def images(client):
    picture = {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}}
    content = [{"type": "text", "text": "Which colour is this?"}, picture]
    reply = client.chat.completions.create(model=MODEL, messages=[user(content)])
    assert reply.choices[0].message.content, reply


def embeddings(client):
    # The package asks for base64 unless told otherwise.
    for more in [{}, {"encoding_format": "float"}]:
        reply = client.embeddings.create(model=EMBEDDING_MODEL, input=["one", "two"], **more)
        first, second = reply.data
        assert (first.index, second.index) == (0, 1), reply
        assert len(first.embedding) == len(second.embedding) > 0
        assert all(isinstance(number, float) for number in first.embedding)


def models(client):
    names = [model.id for model in client.models.list()]
    assert names, "no models"


def errors(client):
    counting = Counting()
    careful = client.with_options(http_client=counting, max_retries=3)
    try:
        careful.chat.completions.create(model="there-is-no-such-model", messages=[user("Hi.")])
        raise AssertionError("an unknown model was served")
    except (openai.NotFoundError, openai.BadRequestError) as error:
        assert error.status_code in (400, 404), error
        assert isinstance(error.body, dict) and error.body.get("message"), error.body
        assert error.code or error.type, error.body
    assert counting.sent == 1, "an error of the caller's was tried again"
    try:
        client.with_options(api_key="no-such-key").models.list()
        raise AssertionError("an unknown key was served")
    except openai.AuthenticationError as error:
        assert error.status_code == 401, error
    try:
        client.chat.completions.create(model=MODEL, messages=[], temperature=99)
        raise AssertionError("nonsense was served")
    except openai.BadRequestError as error:
        assert error.status_code == 400, error


def retries(client):
    counting = Counting()
    counting.failing = 1
    patient = client.with_options(http_client=counting, max_retries=2)
    reply = patient.chat.completions.create(model=MODEL, messages=[user("Say hello.")])
    assert reply.choices[0].message.content and counting.sent == 2, counting.sent


CAPABILITIES = [
    chat,
    limits,
    streaming,
    tools,
    streamed_tools,
    structured_output,
    images,
    embeddings,
    models,
    errors,
    retries,
]

if __name__ == "__main__":
    # The address and the key come from OPENAI_BASE_URL and OPENAI_API_KEY.
    client = openai.OpenAI(max_retries=0, timeout=60)
    for capability in CAPABILITIES:
        capability(client)
        print("ok", capability.__name__)
