namespace Platform.Jobs;

/// <summary>
/// A job does not go on, for a reason that a person has to look at; it ends with <see cref="ExitCodes.Refused"/>. A migration throws it
/// before it changes anything: thrown after a step has begun it is a failure like any other.
/// </summary>
/// <param name="message">One sentence: the reason and the way out.</param>
public sealed class JobRefusedException(string message) : Exception(message);
