output "cluster" {
  description = "On Fargate, where a run can be started by hand: aws ecs run-task."
  value       = one(aws_ecs_cluster.this[*].name)
}

output "task_definition" {
  description = "On Fargate, what runs."
  value       = one(aws_ecs_task_definition.this[*].arn)
}

output "function" {
  description = "On Lambda, what runs; and where a run can be started by hand: aws lambda invoke."
  value       = one(aws_lambda_function.this[*].function_name)
}

output "log_group" {
  description = "What every run said."
  value       = aws_cloudwatch_log_group.this.name
}

output "topic_arn" {
  description = "The topic of the notices."
  value       = aws_sns_topic.notices.arn
}

output "state_url" {
  description = "What --state-url and JANITOR_STATE_URL take."
  value       = "dynamodb://${aws_dynamodb_table.state.name}"
}
