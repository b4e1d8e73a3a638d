/** What people do on a page that no code has to report: links out, downloads, forms, elements with `data-iafa`. */
import { BuiltIn, emit, type Properties } from './event';

const emitTagged = (element: HTMLElement | null): void => {
  const properties: Properties = {};
  if (!element?.dataset.iafa) return;
  for (const { name, value } of element.attributes) {
    const [, key] = name.split('data-iafa-');
    if (key) properties[key] = value;
  }
  emit(element.dataset.iafa, properties);
};

export const click = ({ target }: { target: Element }): void => {
  const link = target.closest<HTMLAnchorElement>('a[href]');
  emitTagged(target.closest<HTMLElement>('[data-iafa]:not(form)'));
  if (!link?.host) return;
  if (/\.(pdf|docx?|xlsx?|pptx?|csv|zip|7z|gz|dmg|exe|apk|mp[34])$/i.test(link.pathname)) emit(BuiltIn.FileDownload, { url: link.href });
  else if (link.host !== location.host) emit(BuiltIn.OutboundClick, { url: link.href });
};

export const submit = ({ target }: { target: HTMLFormElement }): void => {
  const properties: Properties = {};
  // Attributes, not members: a field called "id" takes the member's place. Never what was typed.
  for (const name of ['id', 'name', 'action']) properties[name] = target.getAttribute(name);
  emit(BuiltIn.FormSubmit, properties);
  emitTagged(target);
};
