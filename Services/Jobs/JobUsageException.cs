namespace Platform.Jobs;

/// <summary>The command line names something that is not there.</summary>
/// <param name="message">One sentence.</param>
public sealed class JobUsageException(string message) : Exception(message);
