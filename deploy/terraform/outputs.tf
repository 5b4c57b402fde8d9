output "cluster" {
  description = "Where a run can be started by hand: aws ecs run-task."
  value       = aws_ecs_cluster.this.name
}

output "task_definition" {
  description = "What runs."
  value       = aws_ecs_task_definition.this.arn
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
