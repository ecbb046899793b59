/**
 * Showing that it is the user who asks: by the password and, where the account has a second factor, by a code. What the
 * server says of either is said at its field.
 *
 * [Task]: T006
 */
import { useState } from 'react';
import { Problem } from '../api/client';
import { t } from '../text/forms';
import { Invalid, type Fields } from './submit';

/** The code in a field, without the spaces that apps show it with. */
export function codeIn(field: Fields, name: string): string {
  return field(name).replace(/\s/g, '');
}

/** Sends what has a code in the field `name`, and returns the answer. Fails with a complaint about that field if the code is refused. */
export async function withCode<T>(name: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    const refused = error instanceof Problem ? error.code : '';
    if (refused === 'second_factor_needed') throw new Invalid({ [name]: t.codeNeeded });
    if (refused === 'wrong_code') throw new Invalid({ [name]: t.wrongCode });
    throw error;
  }
}

/** The proof in the fields `password` and `second_factor`, for a form that asks for the code only once it is needed. */
export function useProof() {
  const [factor, setFactor] = useState(false);
  const prove = <T>(
    field: Fields,
    send: (proof: { password: string; second_factor?: string }) => Promise<T>,
  ) =>
    withCode('second_factor', async () => {
      const code = codeIn(field, 'second_factor');
      try {
        return await send({ password: field('password'), ...(code && { second_factor: code }) });
      } catch (error) {
        if (error instanceof Problem && error.code === 'second_factor_needed') setFactor(true);
        throw error;
      }
    });
  return {
    /** Whether the form has to have the field of the code. */
    factor,
    prove,
  };
}
