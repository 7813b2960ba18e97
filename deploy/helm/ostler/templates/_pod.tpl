{{/* What the pods of all roles have in common. Called with the root and the role's name. */}}

{{- define "ostler.labels" -}}
app.kubernetes.io/name: ostler
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "ostler.secret" -}}
{{ .Values.secrets.existing | default .Release.Name }}
{{- end }}

{{- define "ostler.claim" -}}
{{ .Values.objectStorage.existingClaim | default (printf "%s-objects" .Release.Name) }}
{{- end }}

{{- define "ostler.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "ostler.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "ostler.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "ostler.mounts" -}}
- name: objects
  mountPath: /var/lib/ostler-objects
- name: secrets
  mountPath: /etc/ostler
  readOnly: true
- name: data
  mountPath: /var/lib/ostler
- name: tmp
  mountPath: /tmp
{{- end }}

{{- define "ostler.volumes" -}}
- name: objects
  persistentVolumeClaim:
    claimName: {{ include "ostler.claim" . }}
- name: secrets
  secret:
    secretName: {{ include "ostler.secret" . }}
    defaultMode: 0440
- name: data
  emptyDir: {}
- name: tmp
  emptyDir: {}
{{- end }}

{{- define "ostler.pullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Rolls the pods where settings change. */}}
{{- define "ostler.checksum" -}}
checksum/settings: {{ include (print .Template.BasePath "/settings.yaml") . | sha256sum }}
{{- end }}
