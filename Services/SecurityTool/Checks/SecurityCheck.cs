using Platform.SecurityTool.Stack;

namespace Platform.SecurityTool.Checks;

/// <summary>Something that has to hold on a running stack.</summary>
/// <param name="Id">Its name, for programs: lower case, with hyphens.</param>
/// <param name="Title">What holds, in a sentence.</param>
/// <param name="Why">What could happen otherwise.</param>
/// <param name="Mend">What to do when it does not hold.</param>
/// <param name="Source">Who asks for it: a benchmark's section, or a manual.</param>
/// <param name="RunAsync">Looks at a stack.</param>
internal sealed record SecurityCheck(
    string Id, string Title, string Why, string Mend, string Source, Func<RunningStack, CancellationToken, Task<CheckOutcome>> RunAsync);
