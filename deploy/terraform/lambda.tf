# As deploy/aws/lambda.yaml has it.
resource "aws_lambda_function" "this" {
  count         = local.on_lambda
  function_name = var.name
  description   = "janitor over the table ${local.table}"
  package_type  = "Image"
  image_uri     = var.image
  architectures = [var.cpu_architecture == "ARM64" ? "arm64" : "x86_64"]
  memory_size   = coalesce(var.memory, 1024)
  timeout       = var.timeout
  role          = local.role_arn
  # -1: as many as the account lets it.
  reserved_concurrent_executions = var.reserve_concurrency ? 1 : -1

  # AWS's runtime client, which calls the handler in janitor/aws/lambda_handler.py.
  image_config {
    entry_point = ["python", "-m", "awslambdaric"]
    command     = ["janitor.aws.lambda_handler.handle_event"]
  }

  ephemeral_storage {
    size = coalesce(var.scratch_mib, 512)
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.this.name
  }

  dynamic "vpc_config" {
    for_each = length(var.subnets) > 0 ? [1] : []

    content {
      subnet_ids         = var.subnets
      security_group_ids = var.security_groups
    }
  }

  environment {
    variables = module.documents.environment
  }

  # Before it is invoked, it may write its log and read the table.
  depends_on = [aws_iam_role_policy_attachment.run, aws_iam_role_policy_attachment.log, aws_iam_role_policy_attachment.vpc]

  lifecycle {
    precondition {
      condition     = length(var.subnets) == 0 || length(var.security_groups) > 0
      error_message = "subnets need security_groups."
    }
    precondition {
      condition     = coalesce(var.scratch_mib, 512) >= 512
      error_message = "scratch_mib of a function is at least 512."
    }
  }
}

# What a run says when it fails, the next one would say again.
resource "aws_lambda_function_event_invoke_config" "this" {
  count                        = local.on_lambda
  function_name                = aws_lambda_function.this[0].function_name
  qualifier                    = "$LATEST"
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 3600
}

# A rule, which needs no role of its own.
resource "aws_cloudwatch_event_rule" "this" {
  count               = local.on_lambda
  name                = var.name
  description         = "Runs janitor"
  schedule_expression = var.schedule
  state               = var.schedule_enabled ? "ENABLED" : "DISABLED"
}

resource "aws_cloudwatch_event_target" "this" {
  count = local.on_lambda
  rule  = aws_cloudwatch_event_rule.this[0].name
  arn   = aws_lambda_function.this[0].arn
  # The function's variables say all, and it refuses an event that it does not know.
  input = "{}"

  # Of starting the function, not of the run.
  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 5
  }

  dead_letter_config {
    arn = aws_sqs_queue.not_started.arn
  }
}

resource "aws_lambda_permission" "rule" {
  count         = local.on_lambda
  function_name = aws_lambda_function.this[0].function_name
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.this[0].arn
}

resource "aws_sqs_queue_policy" "rule" {
  count     = local.on_lambda
  queue_url = aws_sqs_queue.not_started.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.not_started.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.this[0].arn } }
    }]
  })
}
