import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { Course, courseOf, freshCourse } from '../domain/standing/course.ts';
import type { Standing } from '../domain/standing/standing.ts';
import { RevisedItem } from './revised-item.ts';
import { standingKey } from './standing-reader.ts';

type Of = Pick<Standing, 'cluster' | 'treatment' | 'nodeGroup' | 'id'>;

/** What has come of each standing treatment: one item for a group and treatment, of the last that there was. */
export class CourseStore {
  readonly #items: RevisedItem<Course>;

  constructor(client: DynamoDBClient, table: string) {
    this.#items = new RevisedItem(client, table, {
      kind: 'STANDING-COURSE',
      name: 'the course of the standing treatment',
      schema: Course,
      absent: freshCourse('none'),
    });
  }

  async read(standing: Of): Promise<Course> {
    return courseOf(await this.#items.read(keyOf(standing)), standing.id);
  }

  /** @returns the course after the change */
  async change(standing: Of, change: (course: Course) => Course): Promise<Course> {
    const { after } = await this.#items.change(keyOf(standing), (present) =>
      change(courseOf(present, standing.id)),
    );
    return courseOf(after, standing.id);
  }
}

function keyOf({ cluster, treatment, nodeGroup }: Of): string {
  return `${cluster}#${standingKey(treatment, nodeGroup)}`;
}
