"""Steps as they happen, then the answer: python examples/stream.py PICTURE QUESTION"""

import base64
import os
import sys
from pathlib import Path

import openai

ADDRESS = os.environ.get("PIXELIS_URL", "http://127.0.0.1:8080")
client = openai.OpenAI(base_url=f"{ADDRESS}/v1", api_key=os.environ.get("PIXELIS_API_KEY", "none"))
picture, question = sys.argv[1:3]
data = base64.b64encode(Path(picture).read_bytes()).decode()
parts = [
    {"type": "image_url", "image_url": {"url": f"data:application/octet-stream;base64,{data}"}},
    {"type": "text", "text": question},
]
stream = client.chat.completions.create(
    model=client.models.list().data[0].id,  # the default comes first
    messages=[{"role": "user", "content": parts}],
    stream=True,
)
for chunk in stream:
    delta = chunk.choices[0].delta
    step = (getattr(delta, "pixelis", None) or {}).get("step")
    if step and step["call"]:
        print(step["call"]["op"], step["call"]["arguments"], "->", step["observation"]["text"])
    if delta.content:
        print("answer:", delta.content)
