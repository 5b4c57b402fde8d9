{{- define "janitor.name" -}}
{{ .Values.name | default .Values.mode }}
{{- end -}}

{{- define "janitor.labels" -}}
{app.kubernetes.io/name: janitor, app.kubernetes.io/component: {{ include "janitor.name" . }}}
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
{{- $sweeps := eq .job "sweep" -}}
{{- $daemon := eq .root.Values.mode "daemon" -}}
{{- with .root.Values -}}
{{- if $sweeps -}}
description = "Every night: let locked-out owners in, and remove what has been expired for a month"
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
deadline = {{ .deadline | toJson }}
{{- end }}
{{ end -}}
