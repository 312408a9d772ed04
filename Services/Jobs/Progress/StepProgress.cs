using System.Globalization;

namespace Platform.Jobs.Progress;

/// <summary>Shows the steps of a job, each with its number; on a terminal the line on a step's end replaces the one on its beginning.</summary>
/// <param name="output">Where to.</param>
/// <param name="isTerminal">Whether a line can be written over.</param>
public sealed class StepProgress(TextWriter output, bool isTerminal)
{
    private string _begun = "";

    /// <summary>A step begins, or is shown to be one of several that run: the line takes the place of that of the step before.</summary>
    /// <param name="number">Which one, from 1.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="what">What is being done.</param>
    public void Begin(int number, int count, string what)
    {
        if (isTerminal)
        {
            var line = Line(number, count, $"{what} …");
            output.Write(_begun.Length == 0 ? line : $"\r{line.PadRight(_begun.Length)}");
            _begun = line;
            output.Flush();
        }
    }

    /// <summary>The step has ended.</summary>
    /// <param name="number">Which one, from 1.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="outcome">What became of it.</param>
    public void End(int number, int count, string outcome)
    {
        var line = Line(number, count, outcome);
        output.WriteLine(isTerminal ? $"\r{line.PadRight(_begun.Length)}" : line);
        _begun = "";
        output.Flush();
    }

    private static string Line(int number, int count, string text) => string.Create(CultureInfo.InvariantCulture, $"[{number}/{count}] {text}");
}
