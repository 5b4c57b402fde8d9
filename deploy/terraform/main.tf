# janitor: a run on a schedule, as a Fargate task that EventBridge Scheduler starts (fargate.tf) or as a Lambda function
# that an EventBridge rule invokes (lambda.tf). It reports, and deletes nothing until delete_stale is true. The same as the
# templates of deploy/aws.
data "aws_partition" "this" {}
data "aws_region" "this" {}
data "aws_caller_identity" "this" {}

locals {
  # By the provider's older name: version 6 says region besides, and still knows this one.
  region  = data.aws_region.this.name
  account = data.aws_caller_identity.this.account_id
  arn     = "arn:${data.aws_partition.this.partition}"

  on_fargate = var.run_on == "fargate" ? 1 : 0
  on_lambda  = var.run_on == "lambda" ? 1 : 0
  # What a description calls the table.
  table = var.table_parameter == "" ? var.table : "that /${var.table_parameter} names"
}

module "documents" {
  source = "./documents"

  partition          = data.aws_partition.this.partition
  region             = local.region
  account            = local.account
  topic              = "${var.name}-notices"
  state_table        = "${var.name}-state"
  run_on             = var.run_on
  table              = var.table
  table_parameter    = var.table_parameter
  expiring_within    = var.expiring_within
  grace              = var.grace
  unlock_after       = var.unlock_after
  protect_system     = var.protect_system
  deadline           = var.deadline
  reports_bucket     = var.reports_bucket
  reports_prefix     = var.reports_prefix
  delete_stale       = var.delete_stale
  archive_bucket     = var.archive_bucket
  archive_prefix     = var.archive_prefix
  max_deletes        = var.max_deletes
  max_delete_percent = var.max_delete_percent
  settings           = var.settings
}

resource "aws_sns_topic" "notices" {
  name              = "${var.name}-notices"
  display_name      = "janitor"
  kms_master_key_id = "alias/aws/sns"
}

resource "aws_sns_topic_subscription" "email" {
  count     = var.topic_email == "" ? 0 : 1
  topic_arn = aws_sns_topic.notices.arn
  protocol  = "email"
  endpoint  = var.topic_email
}

# Who loses it is told of every token once more.
resource "aws_dynamodb_table" "state" {
  name                        = "${var.name}-state"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "scope"
  range_key                   = "item"
  deletion_protection_enabled = true

  attribute {
    name = "scope"
    type = "S"
  }

  attribute {
    name = "item"
    type = "S"
  }

  ttl {
    attribute_name = "expiresAt"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled = true
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/janitor/${var.name}"
  retention_in_days = var.log_retention_days
}

# What EventBridge could not start.
resource "aws_sqs_queue" "not_started" {
  name                      = "${var.name}-not-started"
  message_retention_seconds = 1209600 # 14 days
  sqs_managed_sse_enabled   = true
}
