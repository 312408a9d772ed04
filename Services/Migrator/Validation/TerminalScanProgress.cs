using Spectre.Console;

namespace Platform.Migrator.Validation;

/// <summary>Progress for people at a terminal: a bar for each collection.</summary>
internal sealed class TerminalScanProgress(ProgressContext context) : IScanProgress
{
    private ProgressTask? _task;

    public void Begin(string collection, long expected) => _task = context.AddTask(Markup.Escape(collection), maxValue: Math.Max(1, expected));

    public void Advance(long documents)
    {
        if (_task is not null)
        {
            // The expectation is an estimate; a bar does not go back.
            _task.MaxValue = Math.Max(_task.MaxValue, documents + 1);
            _task.Value = documents;
        }
    }

    public void End(ScanResult result)
    {
        if (_task is not null)
        {
            _task.Description = Markup.Escape($"{result.Collection} ({(result.Violating == 0 ? "all obey" : $"{result.Violating} break rules")})");
            _task.MaxValue = Math.Max(1, result.Documents);
            _task.Value = _task.MaxValue;
            _task.StopTask();
        }
    }
}
