# The name that metrics say. Apply it again when LISA has renamed its table, or the alarm on missing runs stays on.
data "aws_ssm_parameter" "table" {
  count = var.table_parameter == "" ? 0 : 1
  name  = "/${var.table_parameter}"
}

locals {
  table_today = var.table_parameter == "" ? var.table : data.aws_ssm_parameter.table[0].insecure_value
  dimensions  = { job = module.documents.job, table = local.table_today, region = local.region }
}

resource "aws_cloudwatch_metric_alarm" "no_successful_run" {
  alarm_name          = "${var.name}-no-successful-run"
  alarm_description   = "janitor has not come through the table ${local.table_today} for ${var.hours_without_success} hours. Look at its last log, and at whether it is started at all."
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  evaluation_periods  = var.hours_without_success
  datapoints_to_alarm = var.hours_without_success
  treat_missing_data  = "breaching"
  alarm_actions       = [var.alarm_action_arn]
  ok_actions          = [var.alarm_action_arn]

  metric_query {
    id          = "successes"
    return_data = false

    metric {
      namespace   = "janitor"
      metric_name = "Success"
      stat        = "Sum"
      period      = 3600
      dimensions  = local.dimensions
    }
  }

  # Filled in, every hour counts as it is; left missing, CloudWatch would look further back.
  metric_query {
    id          = "successesOfEveryHour"
    label       = "successful runs"
    expression  = "FILL(successes, 0)"
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "failed_run" {
  count               = local.on_fargate
  alarm_name          = "${var.name}-failed-run"
  alarm_description   = "A run of janitor over the table ${local.table_today} did not end well. The report and the log say why."
  namespace           = "janitor"
  metric_name         = "Success"
  dimensions          = local.dimensions
  statistic           = "Minimum"
  period              = 300
  evaluation_periods  = 3
  datapoints_to_alarm = 1
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_action_arn]
}

# A run that failed, was interrupted or refused, one that never came to a report, and a function that ran out of time or
# memory.
resource "aws_cloudwatch_metric_alarm" "failed_function" {
  count               = local.on_lambda
  alarm_name          = "${var.name}-failed-function"
  alarm_description   = "The function ${var.name}, janitor over the table ${local.table_today}, did not end well. Its log says why."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.this[0].function_name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_action_arn]
}

resource "aws_cloudwatch_metric_alarm" "not_started" {
  alarm_name          = "${var.name}-not-started"
  alarm_description   = "A scheduled run of janitor over the table ${local.table_today} could not be started. The message in the queue ${aws_sqs_queue.not_started.name} says why."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.not_started.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_action_arn]
}
