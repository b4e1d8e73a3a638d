import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { Menu, MenuItem, MenuLabel, MenuLine } from "@/ui/menu";
import { ArrowDown, ArrowLeft, ArrowRight, ArrowUp, Copy, Ellipsis, ExternalLink, MoveHorizontal, MoveVertical, Pencil, Trash2, type LucideIcon } from "lucide-react";
import { useNavigate } from "react-router";
import type { Step } from "./layout-math";
import { words } from "./words";

const MOVES: readonly [Step, LucideIcon][] = [["left", ArrowLeft], ["right", ArrowRight], ["up", ArrowUp], ["down", ArrowDown]];
const SIZES: readonly [Step, LucideIcon][] = [["wider", MoveHorizontal], ["narrower", MoveHorizontal], ["taller", MoveVertical], ["shorter", MoveVertical]];

interface Props {
  title: string;
  /** The report of the card's question. */
  address: string | null;
  onStep?: (step: Step) => void;
  /** In one column cards only change their order. */
  isColumn?: boolean;
  onEdit?: () => void;
  onDuplicate: () => void;
  onRemove: () => void;
}

/** Everything that the mouse does to a card, as commands. Steps leave the menu open: one is seldom enough. */
export function CardMenu({ title, address, onStep, isColumn = false, onEdit, onDuplicate, onRemove }: Props) {
  const navigate = useNavigate();
  const said = words.card;
  const steps = (all: typeof MOVES) =>
    all.map(([step, Icon]) => (
      <MenuItem
        key={step}
        onSelect={(event) => {
          event.preventDefault();
          onStep?.(step);
        }}
      >
        <Icon aria-hidden />
        {said.steps[step]}
      </MenuItem>
    ));
  return (
    <Menu
      className="max-h-[var(--radix-dropdown-menu-content-available-height)] overflow-y-auto"
      trigger={
        <Button variant="ghost" size="icon-sm" aria-label={said.menu(title)}>
          <Ellipsis aria-hidden className="size-4" />
        </Button>
      }
    >
      {address !== null && (
        <MenuItem onSelect={() => void navigate(address)}>
          <ExternalLink aria-hidden />
          {said.open}
        </MenuItem>
      )}
      {onEdit && (
        <MenuItem onSelect={onEdit}>
          <Pencil aria-hidden />
          {t.actions.edit}
        </MenuItem>
      )}
      <MenuItem onSelect={onDuplicate}>
        <Copy aria-hidden />
        {words.duplicate}
      </MenuItem>
      {onStep && (
        <>
          <MenuLine />
          <MenuLabel>{said.move}</MenuLabel>
          {steps(MOVES.filter(([step]) => !isColumn || step === "up" || step === "down"))}
          {!isColumn && (
            <>
              <MenuLabel>{said.size}</MenuLabel>
              {steps(SIZES)}
            </>
          )}
        </>
      )}
      <MenuLine />
      <MenuItem onSelect={onRemove}>
        <Trash2 aria-hidden />
        {said.remove}
      </MenuItem>
    </Menu>
  );
}
