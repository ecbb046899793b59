/** What went wrong and is about no field. */
export function Failure({ children }: { children: string | undefined }) {
  if (!children) return null;
  return (
    <p role="alert" className="text-sm text-late">
      {children}
    </p>
  );
}
