"""Query the MCP server of .mcp.json like an assistant; standard input has the statements as JSON.

Runs in .venv-mcp. Prints the server's responses: its tables, the columns of one table, and the
result of each statement.
"""

import asyncio
import json
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main(command, arguments, table, statements):
    server = StdioServerParameters(command=command, args=arguments)
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        await session.initialize()

        async def call(tool, **values):
            return (await session.call_tool(tool, values)).content[0].text

        answers = {
            "tables": json.loads(await call("list_tables"))["tables"],
            "columns": json.loads(await call("list_columns", table=table))["columns"],
            "queries": [await call("execute_query", sql=each) for each in statements],
        }
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main(**json.load(sys.stdin)))
