#!/usr/bin/env bash
# One call of every method of a running server, found through reflection alone.
#
#   evals/clients/every_call.sh TOOL [HOST:PORT]
#
# TOOL is the path of `buf` or of `grpcurl`; the address is 127.0.0.1:7431 unless given. The key is
# that of bellwether.toml in this folder unless BELLWETHER_KEY says otherwise. Leaves the team's
# control as a new server has it. Ends with 0 if every call was answered; `Replay` may also say that
# the server was built without analytics.
set -euo pipefail

tool=${1:?the path of buf or grpcurl}
address=${2:-127.0.0.1:7431}
authorization="authorization: Bearer ${BELLWETHER_KEY:-demo-key-anyone-may-know}"
episode="pull-request-$(date +%s)"

# list_services VERSION
list_services() {
  echo "## services, by reflection $1"
  case "$(basename "$tool")" in
    grpcurl) "$tool" -plaintext "$address" list ;; # it finds the version by itself
    *) "$tool" curl --http2-prior-knowledge --protocol grpc --reflect-protocol "grpc-$1" \
      --list-methods "http://$address" ;;
  esac
  echo
}

# call SERVICE/METHOD REQUEST [REFLECTION_VERSION]: prints the request and the reply, or the error.
# The reply stays in `reply`.
call() {
  local status=0
  echo "## $1"
  echo "> $2"
  case "$(basename "$tool")" in
    grpcurl)
      reply=$("$tool" -plaintext -H "$authorization" -d "$2" "$address" "$1" 2>&1) || status=$?
      ;;
    *)
      reply=$("$tool" curl --http2-prior-knowledge --protocol grpc \
        --reflect-protocol "grpc-${3:-v1}" -H "$authorization" -d "$2" "http://$address/$1" 2>&1) ||
        status=$?
      ;;
  esac
  echo "$reply"
  echo
  return "$status"
}

# field NAME: the first string of that name in the last reply.
field() {
  sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" <<<"$reply" | head -n 1
}

context() {
  echo "\"context\": {\"task\": \"fix-test\", \"episodeId\": \"$episode\", \"messages\": [{\"role\": \"ROLE_USER\", \"content\": [{\"text\": \"test_sum fails: expected 10, got 6. Fix it.\"}]}]}"
}

list_services v1
list_services v1alpha
call grpc.reflection.v1.ServerReflection/ServerReflectionInfo '{"listServices": ""}'
if [ "$(basename "$tool")" != grpcurl ]; then
  call grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo '{"listServices": ""}' v1alpha
fi
call grpc.health.v1.Health/Check '{"service": "bellwether.v1.RouterService"}'

router=bellwether.v1.RouterService
call $router/Route "{$(context)}"
decision=$(field decisionId)
call $router/ReportAttempt "{\"decisionId\": \"$decision\", \"usage\": {\"inputTokens\": 900, \"outputTokens\": 120}, \"latencyMs\": 850}"
call bellwether.v1.FeedbackService/SubmitFeedback "{\"items\": [
  {\"decisionId\": \"$decision\", \"evaluator\": {\"name\": \"ci\"}, \"signals\": [
    {\"name\": \"tests_passed\", \"value\": {\"flag\": true}},
    {\"name\": \"json_valid\", \"value\": {\"flag\": true}},
    {\"name\": \"patch_lines\", \"value\": {\"number\": 12}}]},
  {\"episodeId\": \"$episode\", \"signals\": [{\"name\": \"review_accepted\", \"value\": {\"flag\": true}}]}]}"
call $router/Complete "{$(context)}"
call $router/StreamComplete "{\"request\": {$(context)}}"
call $router/GetDecision "{\"decisionId\": \"$decision\"}"
call $router/ListDecisions "{\"pageSize\": 1, \"episodeId\": \"$episode\"}"
call $router/CloseEpisode "{\"episodeId\": \"$episode\"}"

admin=bellwether.v1.AdminService
call $admin/SetControl '{"team": "coding", "control": {"pinnedArm": "small"}}'
call $admin/SetControl '{"team": "coding", "control": {}}'
call $admin/GetTeam '{"team": "coding"}'
key="script-$(date +%s)" # a name is given once
call $admin/CreateKey "{\"team\": \"coding\", \"name\": \"$key\", \"scopes\": [\"SCOPE_ROUTE\"]}"
call $admin/RotateKey "{\"team\": \"coding\", \"name\": \"$key\", \"overlapSeconds\": 0}"
call $admin/RevokeKey "{\"team\": \"coding\", \"name\": \"$key\"}"
call $admin/ListKeys '{"team": "coding", "pageSize": 5}'

call bellwether.v1.EvaluationService/Replay '{"candidates": ["uniform", "fixed:arm=small"]}' ||
  [[ $reply == *"without analytics"* ]]
