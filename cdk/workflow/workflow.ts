import { type INextable, type State, StateMachineFragment } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { Approve } from './approve.ts';
import { Close } from './close.ts';
import { Diagnose } from './diagnose.ts';
import { Examine } from './examine.ts';
import { Gate } from './gate.ts';
import { NextRung } from './next-rung.ts';
import { Open } from './open.ts';
import type { PhaseProps } from './phase.ts';
import { Treat } from './treat.ts';
import { Undo } from './undo.ts';
import { Verify } from './verify.ts';

/** The whole life of an incident. Every way through it ends in `close`, and every error on the way in `undo`. */
export class Workflow extends StateMachineFragment {
  readonly startState: State;
  readonly endStates: INextable[] = [];

  constructor(scope: Construct, id: string, props: PhaseProps) {
    super(scope, id);
    const open = new Open(this, 'OpenPhase', props);
    const examine = new Examine(this, 'ExaminePhase', props);
    const diagnose = new Diagnose(this, 'DiagnosePhase', props);
    const gate = new Gate(this, 'GatePhase', props);
    const approve = new Approve(this, 'ApprovePhase', props);
    const treat = new Treat(this, 'TreatPhase', props);
    const verify = new Verify(this, 'VerifyPhase', props);
    const undo = new Undo(this, 'UndoPhase', props);
    const nextRung = new NextRung(this, 'NextRungPhase', props);
    const close = new Close(this, 'ClosePhase', props);

    open.exits({ ours: examine, otherwise: close });
    examine.exits({ examined: diagnose });
    diagnose.exits({ rung: gate, otherwise: close });
    gate.exits({ lookAgain: examine, pass: treat, ask: approve, skip: nextRung, otherwise: close });
    approve.exits({ notApproved: close, pass: treat, void: examine, otherwise: close });
    treat.exits({
      done: verify,
      replaced: close,
      cordoned: nextRung,
      evicted: nextRung,
      begun: close,
      refused: nextRung,
      notified: nextRung,
      failed: undo,
      unknownKind: close,
    });
    verify.exits({ asksOn: nextRung, cured: close, relieved: nextRung, otherwise: undo });
    undo.exits({ broken: close, otherwise: nextRung });
    nextRung.exits({ rung: gate, otherwise: close });

    for (const phase of [examine, diagnose, gate, approve, treat, verify, nextRung]) phase.catchTo(undo);
    undo.catchTo(close);
    // `open` and `close` have failure states of their own.

    this.startState = open.startState;
  }
}
