namespace Platform.Jobs;

/// <summary>The command line names something that is not there; the job ends with <see cref="ExitCodes.Usage"/>.</summary>
/// <param name="message">One sentence.</param>
public sealed class JobUsageException(string message) : Exception(message);
