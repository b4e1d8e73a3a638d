/** What people do on a page that no code has to report: links out, downloads, forms, elements with `data-iafa`. */
import { BuiltIn, emit, type Properties } from './event';

/** The attributes of an element whose names fit; what the pattern leaves or captures of a name is the property's. */
const attributesOf = (element: Element, pattern: RegExp): Properties => {
  const properties: Properties = {};
  for (const { name, value } of element.attributes) {
    const [, key] = name.split(pattern);
    if (key) properties[key] = value;
  }
  return properties;
};

const emitTagged = (element: HTMLElement | null): void => {
  if (element) emit(element.dataset.iafa, attributesOf(element, /^data-iafa-/));
};

export const click = ({ target }: { target: Element }): void => {
  const link = target.closest<HTMLAnchorElement>('a[href]');
  emitTagged(target.closest<HTMLElement>('[data-iafa]:not(form)'));
  if (link?.host)
    emit(
      /\.(pdf|docx?|xlsx?|pptx?|csv|zip|7z|gz|dmg|exe|apk|mp[34])$/i.test(link.pathname)
        ? BuiltIn.FileDownload
        : link.host != location.host && BuiltIn.OutboundClick,
      { url: link.href },
    );
};

export const submit = ({ target }: { target: HTMLFormElement }): void => {
  // Attributes, not members: a field called "id" takes the member's place. Never what was typed.
  emit(BuiltIn.FormSubmit, attributesOf(target, /^(id|name|action)$/));
  emitTagged(target);
};
