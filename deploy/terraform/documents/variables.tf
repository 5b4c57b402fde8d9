variable "partition" {
  type        = string
  description = "AWS's partition, like aws."
}

variable "region" {
  type        = string
  description = "The region of the table."
}

variable "account" {
  type        = string
  description = "The account's number."
}

variable "topic" {
  type        = string
  description = "The topic's name."
}

variable "state_table" {
  type        = string
  description = "The state table's name."
}

variable "run_on" {
  type        = string
  description = "fargate: a task that EventBridge Scheduler starts. lambda: a function that an EventBridge rule invokes."
}

variable "table" {
  type        = string
  description = "The token table's name, like prod-LISAApiBaseTokenTable. With table_parameter, a pattern like prod-LISAApi*TokenTable, which the rights cover: keep it narrow."
}

variable "table_parameter" {
  type        = string
  description = "The parameter that LISA keeps the table's name in, without its first slash, like prod/prod/lisa/tokenTableName; empty where table is the name. Every run looks there, and so follows a LISA that renames its table."
}

variable "expiring_within" {
  type        = string
  description = "How far ahead a token counts as about to expire; it is announced at each."
}

variable "grace" {
  type        = string
  description = "How long an expired token is kept before it counts as stale."
}

variable "unlock_after" {
  type        = string
  description = "How long after its expiry a token counts as stale that keeps its owner from a new one (LISA 6.1 and later); empty for no sooner than any other."
}

variable "protect_system" {
  type        = bool
  description = "Whether system tokens are never deleted."
}

variable "deadline" {
  type        = string
  description = "Fargate: a run ends by itself after this time, and says how far it came."
}

variable "reports_bucket" {
  type        = string
  description = "The bucket for an HTML and a JSON report a day; empty for none."
}

variable "reports_prefix" {
  type        = string
  description = "How the keys of reports begin, with a slash at its end."
}

variable "delete_stale" {
  type        = bool
  description = "true deletes what is stale, after it was archived. Read a few reports before."
}

variable "archive_bucket" {
  type        = string
  description = "Where rows are kept before they are deleted. An archive of a classic table holds tokens in plain text: the bucket has to be private."
}

variable "archive_prefix" {
  type        = string
  description = "How the keys of archives begin, with a slash at its end."
}

variable "max_deletes" {
  type        = number
  description = "A run that would delete more rows deletes none."
}

variable "max_delete_percent" {
  type        = number
  description = "So does one that would delete a larger share of the table."
}

variable "settings" {
  type        = map(string)
  description = "Further variables of the run, like JANITOR_CONTACT, JANITOR_PROTECT_USER, JANITOR_PER_TOKEN or AWS_CA_BUNDLE. They beat the values above."
}
