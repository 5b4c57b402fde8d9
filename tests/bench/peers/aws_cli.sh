#!/bin/sh
# The AWS CLI piped into jq, as one would type it: counts rows by state. usage: aws_cli.sh AWS ENDPOINT_URL TABLE
set -eu
"$1" dynamodb scan --endpoint-url "$2" --table-name "$3" --region us-east-1 --output json |
    jq --compact-output --argjson now "$(date +%s)" '
        def state:
            if .tokenExpiration and (.tokenExpiration.N | not) then "malformed"
            elif .tokenUUID | not then "legacy"
            elif .tokenExpiration | not then "permanent"
            else (.tokenExpiration.N | tonumber) as $expiry
                | if $expiry > 99999999999 then "malformed"
                  elif $now >= $expiry + 7 * 86400 then "stale"
                  elif $now >= $expiry then "expired"
                  elif $expiry <= $now + 30 * 86400 then "expiring"
                  else "active" end
            end;
        .ScannedCount as $rows
            | reduce (.Items[] | state) as $state ({}; .[$state] += 1)
            | {rows: $rows, findings: (add - (.active // 0))}'
