import { expect, test } from 'vitest';
import { codeIn } from './code';

const code = 'XOsGgkUqbim4NSMb_eoa5uJcr9C8zHXQjdvqSq8eomQ';

test.each([
  code,
  `http://127.0.0.1:8080/signin#${code}`,
  `  ${code}\n`,
  `#${code}`,
  `${code.slice(0, 20)}\n${code.slice(20)}`,
])('the code is found in %j', (text) => {
  expect(codeIn(text)).toBe(code);
});

test.each(['', 'http://127.0.0.1:8080/signin', code.slice(1), `${code}x`, 'not a code at all'])(
  'there is none in %j',
  (text) => {
    expect(codeIn(text)).toBeUndefined();
  },
);
