import { Choice, Condition, type IChainable, type State } from 'aws-cdk-lib/aws-stepfunctions';
import type { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { Phase, type PhaseProps } from './phase.ts';
import { Replace } from './replace.ts';
import { RunDocument } from './run-document.ts';

/** Carries out one rung: runs its document on the node, has the node replaced, or tells people. */
export class Treat extends Phase {
  readonly startState: State;
  private readonly kind: Choice;
  private readonly treated: Choice;
  private readonly notify: LambdaInvoke;

  constructor(scope: Construct, id: string, { functions }: PhaseProps) {
    super(scope, id);
    const treatment = new RunDocument(this, 'Document', {
      purpose: 'Treatment',
      send: functions['send-treatment'],
      poll: functions['poll-command'],
    });
    const record = this.task('RecordTreatment', functions['record-treatment']);
    this.treated = new Choice(this, 'Treated?');
    treatment.exits({ over: record });
    record.next(this.treated);

    const replace = new Replace(this, 'Replacement', { functions });
    replace.exits({ over: record });

    this.notify = this.task('Notify', functions.notify);
    this.kind = new Choice(this, 'TreatmentKind?')
      .when(Condition.stringEquals('$.rung.kind', 'document'), treatment)
      .when(Condition.stringEquals('$.rung.kind', 'replace'), replace)
      .when(Condition.stringEquals('$.rung.kind', 'notify'), this.notify);

    this.tasks.push(...treatment.tasks, ...replace.tasks, record, this.notify);
    this.startState = this.kind;
  }

  /** `replaced`: there is no node to look at any more, and another in its place. `failed` is also taken for a status that this machine does not know: undo has to look at the node then. */
  exits(to: {
    done: IChainable;
    replaced: IChainable;
    refused: IChainable;
    notified: IChainable;
    failed: IChainable;
    unknownKind: IChainable;
  }): void {
    const replaced = Condition.and(
      Condition.stringEquals('$.treatment.status', 'done'),
      Condition.stringEquals('$.rung.kind', 'replace'),
    );
    this.treated
      .when(replaced, to.replaced)
      .when(Condition.stringEquals('$.treatment.status', 'done'), to.done)
      .when(Condition.stringEquals('$.treatment.status', 'refused'), to.refused)
      .otherwise(to.failed);
    this.notify.next(to.notified);
    this.kind.otherwise(to.unknownKind);
  }
}
