namespace Platform.Monitor.Prometheus;

/// <summary>Prometheus does not answer, or refuses.</summary>
/// <param name="message">What is the matter, as a sentence.</param>
/// <param name="inner">Why.</param>
internal sealed class PrometheusException(string message, Exception? inner = null) : Exception(message, inner);
