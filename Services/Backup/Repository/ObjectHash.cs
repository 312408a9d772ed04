namespace Platform.Backup.Repository;

/// <summary>What an object of the repository is known by.</summary>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Hash">Its SHA-256, in hexadecimal digits.</param>
internal sealed record ObjectHash(long Length, string Hash);
