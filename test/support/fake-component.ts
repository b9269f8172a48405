/** A component that writes down what happens to it and fails when the test says so. */
import type { Component, ComponentContext, ComponentHealth } from '../../src/services/component.js'

export class FakeComponent implements Component {
  context: ComponentContext | undefined
  status: ComponentHealth = { status: 'ok' }
  startError: Error | undefined
  stopError: Error | undefined
  stopNever = false
  count = 0

  constructor(
    readonly name: string,
    readonly journal: string[] = [],
  ) {}

  async start(context: ComponentContext): Promise<void> {
    this.context = context
    this.journal.push(`start ${this.name}`)
    if (this.startError !== undefined) throw this.startError
  }

  async stop(): Promise<void> {
    this.journal.push(`stop ${this.name}`)
    if (this.stopNever) await new Promise(() => {})
    if (this.stopError !== undefined) throw this.stopError
  }

  health(): ComponentHealth {
    return this.status
  }

  collect(metrics: { total(name: 'processor_messages_total', labels: { processor: string }, total: number): void }): void {
    metrics.total('processor_messages_total', { processor: this.name }, this.count)
  }
}
