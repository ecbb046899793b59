import { Component, type ReactNode } from 'react';
import { Button } from '../design/controls';
import { t } from '../text';

/** Shows what to do when a part of the page fails; everything typed is kept already. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <main role="alert" className="mx-auto max-w-md px-6 py-24 text-center">
        <h1 className="text-title font-semibold">{t.broken.title}</h1>
        <p className="mt-2 mb-6 text-soft">{t.broken.detail}</p>
        <Button kind="primary" onClick={() => location.reload()}>
          {t.broken.reload}
        </Button>
      </main>
    );
  }
}
