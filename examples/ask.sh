#!/bin/sh
# A question with curl alone: examples/ask.sh PICTURE QUESTION
set -eu
url=${PIXELIS_URL:-http://127.0.0.1:8080}
body=$(mktemp)
trap 'rm -f "$body"' EXIT
python3 - "$1" "$2" > "$body" <<'PY'
import base64, json, sys
data = base64.b64encode(open(sys.argv[1], "rb").read()).decode()
parts = [{"type": "image_url", "image_url": {"url": "data:application/octet-stream;base64," + data}},
         {"type": "text", "text": sys.argv[2]}]
print(json.dumps({"model": "nano", "messages": [{"role": "user", "content": parts}]}))
PY
curl -sS "$url/v1/chat/completions" -H 'Content-Type: application/json' \
  -H "Authorization: Bearer ${PIXELIS_API_KEY:-none}" --data-binary "@$body"
echo
