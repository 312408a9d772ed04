namespace Aspire.Hosting.ApplicationModel;

/// <summary>A line of a resource's console log.</summary>
/// <param name="LineNumber">Counts from 1 for each resource.</param>
/// <param name="Content">The text, after a UTC timestamp (RFC 3339, seven fractional digits) and a space.</param>
/// <param name="IsErrorMessage">Whether it was written to standard error.</param>
public readonly record struct LogLine(int LineNumber, string Content, bool IsErrorMessage);
