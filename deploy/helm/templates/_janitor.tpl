{{- define "janitor.name" -}}
{{ .Values.name | default .Values.mode }}
{{- end -}}

{{- define "janitor.labels" -}}
{app.kubernetes.io/name: janitor, app.kubernetes.io/component: {{ include "janitor.name" . }}}
{{- end -}}

{{/* Of the scheduler or the workers: {"root": the chart's context, "part": scheduler or worker}. */}}
{{- define "janitor.daskLabels" -}}
{app.kubernetes.io/name: janitor, app.kubernetes.io/component: {{ include "janitor.name" .root }}, dask: {{ .part }}}
{{- end -}}

{{/* The mode `distributed` needs the image that is built with --target dask. */}}
{{- define "janitor.image" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}
{{ .Values.image.repository }}:{{ trimSuffix "-dask" $tag }}{{ ternary "-dask" "" (or (eq .Values.mode "distributed") (hasSuffix "-dask" $tag)) }}
{{- end -}}

{{- define "janitor.scheduler" -}}
tls://janitor-scheduler-{{ include "janitor.name" . }}:8786
{{- end -}}

{{/* Which job of `schedule` a CronJob runs. */}}
{{- define "janitor.job" -}}
{{ ternary "report" "sweep" (eq .Values.mode "report") }}
{{- end -}}

{{/*
When Kubernetes ends a job that hangs, in seconds from its start. It leaves room for two attempts, each of which ends by
itself at the deadline and still says what it did, and 10 minutes for pulling the image.
*/}}
{{- define "janitor.jobSeconds" -}}
{{- if hasKey .Values.settings "JANITOR_DEADLINE" -}}
{{- fail "settings.JANITOR_DEADLINE: set the value `deadline` instead, which the time that the job may take follows" -}}
{{- end -}}
{{- $units := dict "s" 1 "m" 60 "h" 3600 "d" 86400 -}}
{{- $deadline := .Values.deadline -}}
{{- add 600 (mul 2 (trunc -1 $deadline | get $units) (regexFind "^[0-9]+" $deadline | int64)) -}}
{{- end -}}

{{- define "janitor.variables" -}}
{{ merge (dict) .Values.settings (ternary (dict "JANITOR_STATE_URL" .Values.stateUrl) (dict) (ne .Values.stateUrl "")) | toYaml }}
{{- end -}}

{{/* The daemon's changes its name with what is in it, and so restarts the daemon. */}}
{{- define "janitor.settings" -}}
janitor-settings-{{ include "janitor.name" . }}
{{- if eq .Values.mode "daemon" }}-{{ include "janitor.variables" . | sha256sum | trunc 10 }}{{ end }}
{{- end -}}

{{/* The schedule file of one job: {"root": the chart's context, "job": report or sweep}. */}}
{{- define "janitor.schedule" -}}
{{- $root := .root -}}
{{- $sweeps := eq .job "sweep" -}}
{{- $daemon := eq .root.Values.mode "daemon" -}}
{{- $distributed := eq .root.Values.mode "distributed" -}}
{{- with .root.Values -}}
{{- if $sweeps -}}
description = "Every night: let locked-out owners{{ if $distributed }} of a large table{{ end }} in, and remove what has been expired for a month"
{{- else -}}
description = "Every morning: what expires soon, what is stale, what never expires"
{{- end }}
{{- if $daemon }}

[when]
cron = {{ get .schedule (ternary "sweep" "report" $sweeps) | toJson }}
timezone = {{ .timeZone | toJson }}
jitter = "5m"
{{- if $sweeps }}
catch_up = true
{{- end }}
{{- end }}

[table]
table = {{ required "table: name the token table, like prod-LISAApiBaseTokenTable" .table | toJson }}
region = {{ .region | toJson }}

[policy]
{{- if not $sweeps }}
expiring_within = {{ .expiringWithin | toJson }}
{{- end }}
grace = {{ .grace | toJson }}
{{- if $sweeps }}
{{- with .unlockAfter }}
unlock_after = {{ . | toJson }}
{{- end }}
protect_system = {{ .protectSystem }}

[delete]
enabled = {{ .delete.enabled }}
{{- if .delete.enabled }}
archive = {{ required "delete.archive: s3://BUCKET/PREFIX/, where rows are kept before they are deleted" .delete.archive | toJson }}
{{- else if .delete.archive }}
archive = {{ .delete.archive | toJson }}
{{- end }}
max_deletes = {{ int .delete.maxDeletes }}
max_delete_percent = {{ .delete.maxDeletePercent }}
{{- end }}

[notify]
{{- with .snsTopicArn }}
sns_topic_arn = {{ . | toJson }}
{{- end }}

[report]
{{- if not $daemon }}
format = "none"
{{- end }}
{{- with .reports }}
report = {{ . | toJson }}
{{- end }}

[limits]
{{- if $distributed }}
dask = {{ include "janitor.scheduler" $root | toJson }}
{{- end }}
deadline = {{ .deadline | toJson }}
{{- end }}
{{ end -}}
