import {
  Choice,
  Condition,
  type IChainable,
  IntegrationPattern,
  JsonPath,
  type State,
  TaskInput,
  Timeout,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { LookAround } from './look-around.ts';
import { Phase, type PhaseProps } from './phase.ts';
import { RunDocument } from './run-document.ts';

/**
 * Asks people and waits for their decision, then looks at the node again before it is acted upon.
 * The approval record is the truth and the task token only a wake-up: however the wait ends, SettleApproval reads the record.
 */
export class Approve extends Phase {
  readonly startState: State;
  private readonly approved: Choice;
  private readonly stillTrue: Choice;

  constructor(scope: Construct, id: string, { functions }: PhaseProps) {
    super(scope, id);
    const settle = this.task('SettleApproval', functions['settle-approval']);
    const request = this.task('RequestApproval', functions['request-approval'], {
      payloadResponseOnly: false,
      integrationPattern: IntegrationPattern.WAIT_FOR_TASK_TOKEN,
      payload: TaskInput.fromObject({ state: JsonPath.entirePayload, taskToken: JsonPath.taskToken }),
      taskTimeout: Timeout.at('$.approval.timeoutSeconds'),
      resultPath: JsonPath.DISCARD,
    });
    request.addCatch(settle, { errors: ['States.ALL'], resultPath: '$.approval.interruption' });
    request.next(settle);

    const look = new RunDocument(this, 'Look', {
      purpose: 'Recheck',
      send: functions['send-evidence'],
      poll: functions['poll-command'],
    });
    this.approved = new Choice(this, 'Approved?').when(
      Condition.stringEquals('$.approval.decision', 'approved'),
      look,
    );
    // Nobody has decided yet, and there is time: the next stage of the wait, with a token of its own.
    this.approved.when(Condition.stringEquals('$.approval.decision', 'pending'), request);
    settle.next(this.approved);

    const recheck = this.task('Recheck', functions.recheck);
    // A gate that was open when people were asked may be shut now, and open again soon: the look is repeated then.
    const wait = new Wait(this, 'WaitAtRecheck', { time: WaitTime.secondsPath('$.recheck.waitSeconds') });
    wait.next(look);
    this.stillTrue = new Choice(this, 'StillTrue?').when(
      Condition.stringEquals('$.recheck.decision', 'wait'),
      wait,
    );
    const around = new LookAround(this, 'Around', {
      name: 'RecheckAround',
      ask: functions['examine-around'],
    });
    look.exits({ over: around });
    around.exits({ over: recheck });
    recheck.next(this.stillTrue);

    this.tasks.push(settle, ...look.tasks, recheck);
    this.startState = request;
  }

  /** `notApproved` takes denied and expired; `otherwise` takes what the gates refuse now. */
  exits(to: { notApproved: IChainable; pass: IChainable; void: IChainable; otherwise: IChainable }): void {
    this.approved.otherwise(to.notApproved);
    this.stillTrue
      .when(Condition.stringEquals('$.recheck.decision', 'pass'), to.pass)
      .when(Condition.stringEquals('$.recheck.decision', 'void'), to.void)
      .otherwise(to.otherwise);
  }
}
