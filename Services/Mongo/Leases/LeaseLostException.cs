namespace Platform.Mongo.Leases;

/// <summary>The lease ended while the work was under way, so the work was stopped.</summary>
/// <param name="name">What was leased.</param>
/// <param name="innerException">What stopped the work.</param>
public sealed class LeaseLostException(string name, Exception? innerException = null)
    : Exception($"The lease '{name}' was lost while the work was under way, so the work was stopped.", innerException);
