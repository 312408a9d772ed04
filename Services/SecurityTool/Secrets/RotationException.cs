namespace Platform.SecurityTool.Secrets;

/// <summary>A password could not be replaced to the end. Nothing fails for it, and the same command goes on.</summary>
/// <param name="message">Why, a sentence.</param>
/// <param name="innerException">What a server's client threw.</param>
internal sealed class RotationException(string message, Exception? innerException = null) : Exception(message, innerException);
