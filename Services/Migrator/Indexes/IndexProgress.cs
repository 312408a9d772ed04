using System.Globalization;

namespace Platform.Migrator.Indexes;

/// <summary>Writes a line when a step begins, which on a terminal the line on its end replaces.</summary>
/// <param name="output">Where to.</param>
/// <param name="isTerminal">Whether a line can be written over.</param>
internal sealed class IndexProgress(TextWriter output, bool isTerminal) : IIndexProgress
{
    private string _begun = "";

    /// <inheritdoc/>
    public void Begins(int number, int count, string what)
    {
        if (isTerminal)
        {
            _begun = string.Create(CultureInfo.InvariantCulture, $"[{number}/{count}] {what} …");
            output.Write(_begun);
            output.Flush();
        }
    }

    /// <inheritdoc/>
    public void Ended(int number, int count, IndexOutcome outcome)
    {
        var done = string.Create(
            CultureInfo.InvariantCulture,
            $"[{number}/{count}] {outcome.Collection}.{outcome.Index}: {Word(outcome.Outcome)} ({outcome.Reason}){(outcome.Outcome == IndexOutcomeKind.Left ? "" : $", {outcome.Milliseconds:0} ms")}");
        output.WriteLine(isTerminal ? $"\r{done.PadRight(_begun.Length)}" : done);
        output.Flush();
    }

    private static string Word(IndexOutcomeKind outcome) => outcome switch
    {
        IndexOutcomeKind.Left => "left as it is",
        _ => outcome.ToString().ToLowerInvariant(),
    };
}
