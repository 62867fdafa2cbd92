import { Choice, Condition, type IChainable, type State } from 'aws-cdk-lib/aws-stepfunctions';
import type { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { Hold } from './hold.ts';
import { Phase, type PhaseProps } from './phase.ts';
import { Replace } from './replace.ts';
import { RunDocument } from './run-document.ts';

/**
 * Carries out one rung: runs its document on the node, with new pods kept off it where the rung says so, has the node replaced, begins
 * what the census repeats, or tells people.
 */
export class Treat extends Phase {
  readonly startState: State;
  private readonly kind: Choice;
  private readonly treated: Choice;
  private readonly begin: LambdaInvoke;
  private readonly begun: Choice;
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
    const hold = new Hold(this, 'Hold', { functions });
    hold.exits({ held: treatment, over: record });
    treatment.exits({ over: record, instead: { when: Condition.isPresent('$.hold'), to: hold.settle } });
    record.next(this.treated);

    const replace = new Replace(this, 'Replacement', { functions });
    replace.exits({ over: record });

    this.begin = this.task('BeginStanding', functions['begin-standing']);
    this.begun = new Choice(this, 'Begun?');
    this.begin.next(this.begun);
    this.notify = this.task('Notify', functions.notify);
    this.kind = new Choice(this, 'TreatmentKind?')
      .when(
        Condition.and(
          Condition.stringEquals('$.rung.kind', 'document'),
          Condition.isPresent('$.rung.cordons'),
        ),
        hold,
      )
      .when(Condition.stringEquals('$.rung.kind', 'document'), treatment)
      .when(Condition.stringEquals('$.rung.kind', 'cordon'), hold)
      .when(Condition.stringEquals('$.rung.kind', 'replace'), replace)
      .when(Condition.stringEquals('$.rung.kind', 'evict'), replace)
      .when(Condition.stringEquals('$.rung.kind', 'standing'), this.begin)
      .when(Condition.stringEquals('$.rung.kind', 'notify'), this.notify);

    this.tasks.push(...treatment.tasks, ...hold.tasks, ...replace.tasks, record, this.begin, this.notify);
    this.startState = this.kind;
  }

  /**
   * `replaced`: there is no node to look at any more, and another in its place. `cordoned`, `evicted`, `begun`: nothing on it has
   * changed that could be looked at. `failed` is also taken for a status that this machine does not know: undo has to look at the node then.
   */
  exits(to: {
    done: IChainable;
    replaced: IChainable;
    cordoned: IChainable;
    evicted: IChainable;
    begun: IChainable;
    refused: IChainable;
    notified: IChainable;
    failed: IChainable;
    unknownKind: IChainable;
  }): void {
    const replaced = Condition.and(
      Condition.stringEquals('$.treatment.status', 'done'),
      Condition.stringEquals('$.rung.kind', 'replace'),
    );
    const cordoned = Condition.and(
      Condition.stringEquals('$.treatment.status', 'done'),
      Condition.stringEquals('$.rung.kind', 'cordon'),
    );
    const evicted = Condition.and(
      Condition.stringEquals('$.treatment.status', 'done'),
      Condition.stringEquals('$.rung.kind', 'evict'),
    );
    this.treated
      .when(replaced, to.replaced)
      .when(cordoned, to.cordoned)
      .when(evicted, to.evicted)
      .when(Condition.stringEquals('$.treatment.status', 'done'), to.done)
      .when(Condition.stringEquals('$.treatment.status', 'refused'), to.refused)
      .otherwise(to.failed);
    this.begun.when(Condition.stringEquals('$.treatment.status', 'done'), to.begun).otherwise(to.refused);
    this.notify.next(to.notified);
    this.kind.otherwise(to.unknownKind);
  }
}
