import { paths } from "@/app/paths";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { EmptyState } from "@/ui/empty-state";
import { CodeXml } from "lucide-react";
import { Link } from "react-router";
import { words } from "./words";

const EXAMPLE = [12, 16, 14, 22, 26, 21, 30, 34, 31, 40, 46, 43, 52, 58];

/** What the page will be, faintly, and the one thing to do. */
export function NoEvents({ projectId }: { projectId: string }) {
  return (
    <Card className="relative overflow-hidden">
      <Example />
      <div className="relative bg-surface/70">
        <EmptyState title={words.empty.title} description={words.empty.text} className="py-28">
          <Button asChild variant="primary">
            <Link to={paths.setup(projectId)}>
              <CodeXml aria-hidden className="size-4" />
              {words.empty.action}
            </Link>
          </Button>
        </EmptyState>
      </div>
    </Card>
  );
}

function Example() {
  const points = EXAMPLE.map((value, at) => `${(at / (EXAMPLE.length - 1)) * 400},${200 - value * 1.6}`);
  return (
    <svg aria-hidden viewBox="0 0 400 200" preserveAspectRatio="none" className="absolute inset-0 size-full opacity-70">
      {[50, 100, 150].map((y) => (
        <line key={y} x1="0" x2="400" y1={y} y2={y} stroke="var(--line)" vectorEffect="non-scaling-stroke" />
      ))}
      <polygon points={`0,200 ${points.join(" ")} 400,200`} fill="var(--accent-wash)" />
      <polyline points={points.join(" ")} fill="none" stroke="var(--series-1)" strokeWidth="2" vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
