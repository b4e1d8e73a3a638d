import { ApplyRow } from "@/features/report/apply-row";
import { Field } from "@/ui/field";
import { Input } from "@/ui/input";
import { useState } from "react";
import { isFormula, letterOf, type FormulaChoice } from "./trend-state";
import { words } from "./words";

interface Props {
  formula: FormulaChoice;
  /** So many series can be named. */
  series: number;
  onApply: (formula: FormulaChoice) => void;
  onCancel: () => void;
}

export function FormulaForm({ formula, series, onApply, onCancel }: Props) {
  const [expression, setExpression] = useState(formula.expression);
  const [name, setName] = useState(formula.name);
  const [isTried, setTried] = useState(false);
  const written = expression.trim().toUpperCase();
  const fault = written === "" ? words.expressionMissing : isFormula(written, series) ? undefined : words.expressionOdd;
  const letters = Array.from({ length: series }, (_none, at) => letterOf(at)).join(", ");
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(submitted) => {
        submitted.preventDefault();
        submitted.stopPropagation();
        setTried(true);
        if (!fault) onApply({ expression: written, name: name.trim() });
      }}
    >
      <Field label={words.expression} hint={words.expressionHint(letters)} error={isTried ? fault : undefined}>
        {(wiring) => <Input {...wiring} className="font-mono" maxLength={200} autoComplete="off" spellCheck={false} placeholder="A / B * 100" value={expression} onChange={(changed) => setExpression(changed.target.value)} />}
      </Field>
      <Field label={words.name}>{(wiring) => <Input {...wiring} dir="auto" maxLength={200} value={name} onChange={(changed) => setName(changed.target.value)} />}</Field>
      <ApplyRow onCancel={onCancel} />
    </form>
  );
}
