"""An agent of the `openai-agents` package against any OpenAI-compatible address.

Prints `ok NAME` for each capability, and raises at the first that is not there.
"""

import asyncio
import os

from agents import (
    Agent,
    Runner,
    function_tool,
    set_default_openai_api,
    set_tracing_disabled,
)
from pydantic import BaseModel

MODEL = os.environ.get("OPENAI_MODEL", "auto")
QUESTION = "What is the weather in Oslo?"
asked = []


@function_tool
def weather(city: str) -> str:
    """The weather in a city."""
    asked.append(city)
    return "4 degrees, rain"


class Ticket(BaseModel):
    title: str
    urgent: bool
    hours: int


async def tool_loop():
    asked.clear()
    agent = Agent(name="forecaster", instructions="Use the tool.", model=MODEL, tools=[weather])
    result = await Runner.run(agent, QUESTION)
    assert result.final_output and len(asked) == 1, (result.final_output, asked)
    # The conversation goes on where it was.
    more = result.to_input_list() + [{"role": "user", "content": "Thank you."}]
    assert (await Runner.run(agent, more)).final_output


async def streamed_tool_loop():
    asked.clear()
    agent = Agent(name="forecaster", instructions="Use the tool.", model=MODEL, tools=[weather])
    result = Runner.run_streamed(agent, QUESTION)
    kinds = {event.type async for event in result.stream_events()}
    assert {"raw_response_event", "run_item_stream_event"} <= kinds, kinds
    assert result.final_output and len(asked) == 1, (result.final_output, asked)


async def structured_output():
    agent = Agent(name="clerk", instructions="File tickets.", model=MODEL, output_type=Ticket)
    result = await Runner.run(agent, "The login is slow.")
    assert isinstance(result.final_output, Ticket), result.final_output


async def handoff():
    clerk = Agent(name="clerk", instructions="File tickets.", model=MODEL)
    desk = Agent(name="desk", instructions="Hand over to the clerk.", model=MODEL, handoffs=[clerk])
    result = await Runner.run(desk, "The login is slow.")
    assert result.last_agent is clerk and result.final_output, result


async def main():
    for capability in [tool_loop, streamed_tool_loop, structured_output, handoff]:
        await capability()
        print("ok", capability.__name__)


# The address and the key come from OPENAI_BASE_URL and OPENAI_API_KEY. Without these two settings the
# package would speak another dialect, and send its traces to OpenAI.
set_default_openai_api("chat_completions")
set_tracing_disabled(True)
asyncio.run(main())
